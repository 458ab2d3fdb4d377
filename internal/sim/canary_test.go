// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	prooftrust "darwaza.dev/internal/proof/trust"
)

// lockedBuffer is a log that several servers write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// canaries are what a traveller shows and says. Nothing of it may be found in clear once
// the check is over, wherever either side keeps or writes something.
var planted = []string{"ZQXNAME", "ZQXGIVEN", "ZQXUVCI", "ZQXLAB", "ZQXPLACE", "ZQXLOT", "ZQXDEVICE", "3520277733311", "+989127773331", "1977-07-13", "LP6464-4", "260415000", "ZQXDOC77"}

// shown are certificates of every format with canaries in them: genuine ones of a signer
// that both sides trust, and some that nobody signed.
func shown(t *testing.T, now time.Time) (certificate []byte, texts map[string]string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"AT"}}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := prooftrust.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(e proof.Event) string {
		t.Helper()
		e.Disease, e.Country, e.Issuer, e.Place, e.Lot = proof.COVID19, "AUT", "ZQXLAB", "ZQXPLACE", "ZQXLOT"
		text, err := hcert.Issue(key, cert.KeyID(), &proof.Claims{Issuer: "AT", IssuedAt: now, Until: now.Add(500 * time.Hour), ID: "URN:UVCI:01:AT:ZQXUVCI",
			Holder: proof.Holder{Family: "ZQXNAME", FamilyICAO: "ZQXNAME", Given: "ZQXGIVEN", GivenICAO: "ZQXGIVEN", Birth: identity.PartialDate{Year: 1977, Month: 7, Day: 13}}, Events: []proof.Event{e}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	test := issue(proof.Event{Kind: proof.Test, On: proof.At(now.Add(-time.Hour)), TestKind: proof.NAAT, Result: proof.Negative, TestDevice: proof.Code{System: proof.JRC, Value: "ZQXDEVICE"}})
	day, err := proof.ParseDate("2025-08-25")
	if err != nil {
		t.Fatal(err)
	}
	card := base64.RawURLEncoding.EncodeToString([]byte(`{"zip":"DEF","alg":"ES256","kid":"ZQXUVCI"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte("ZQXNAME 1977-07-13")) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	digits := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, "%02d", c-45)
		}
		return b.String()
	}
	half := len(card) / 2
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), map[string]string{
		"test": test, "dose": issue(proof.Event{Kind: proof.Vaccination, On: day, Dose: 2, Of: 2, Product: proof.Code{System: proof.EUReg, Value: "ZQXDEVICE"}}),
		"forged": test[:len(test)-3] + "000", "damaged": test[:len(test)/2],
		"card": card, "codes": "shc:/" + digits(card), "code of two": "shc:/1/2/" + digits(card[:half]), "codes of two": "shc:/1/2/" + digits(card[:half]) + "\nshc:/2/2/" + digits(card[half:]),
		"seal":  `{"data":{"hdr":{"t":"icao.test","v":1,"is":"UTO"},"msg":{"utci":"ZQXUVCI","pid":{"n":"ZQXNAME  ZQXGIVEN","dob":"1977-07-13","dt":"P","dn":"ZQXDOC77"},"sp":{"spn":"ZQXLAB","ctr":"AUT","cd":{"p":"+989127773331","e":"a@ZQXLAB","a":"ZQXPLACE"}},"dat":{"sc":"2026-03-01T08:00:00Z","ri":"2026-03-01T08:00:00Z","tc":"molecular(PCR)","tr":"negative"}}},"sig":{"alg":"ES256","cer":"AAAA","sigvl":"AAAA"}}`,
		"words": "ZQXNAME ZQXGIVEN 1977-07-13 negative",
	}
}

// TestCanaries plants what a traveller shows and says at both sides' gates and at the check
// before booking, in every format, lets the sides tell each other of it, and looks for it
// in everything that lies on the disks (databases, their write-ahead logs, vaults, heads),
// in backups, in the logs and in a dump of what every goroutine does.
func TestCanaries(t *testing.T) {
	ctx := context.Background()
	log := new(lockedBuffer)
	dir := t.TempDir()
	d, err := Start(ctx, Config{Dir: dir, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	certificate, texts := shown(t, d.Clock.Now())
	canaries := planted
	for _, name := range []string{"test", "dose", "card", "codes"} {
		canaries = append(canaries, texts[name][20:60]) // as it was scanned
	}
	leaks := func(s string) string { return holds(s, canaries) }
	for _, s := range []*Side{d.A, d.B} {
		if err := os.WriteFile(filepath.Join(s.Post.Config.ProofTrust, "at.pem"), certificate, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client, n := newClient(), 0
	call := func(s *Side, login, path string, in, out any) error {
		n++
		return caller{base: s.Address, token: s.tokens[login], client: client}.call(ctx, http.MethodPost, path, fmt.Sprintf("canary-canary-canary-%06d", n), in, out)
	}
	var slots struct {
		Slots []struct {
			ID string `json:"id"`
		} `json:"slots"`
	}
	const day = DemoDay
	if err := (caller{base: d.A.Address, token: d.A.tokens["clerk"], client: client}).call(ctx, http.MethodGet, "/api/v1/slots?site="+playSite+"&class=visitor&day="+day, "", nil, &slots); err != nil || len(slots.Slots) == 0 {
		t.Fatal(err, slots)
	}
	var b bookingAnswer
	doc := map[string]any{"kind": "cnic", "country": "PAK", "number": "3520277733311"}
	if err := call(d.A, "clerk", "/api/v1/bookings", map[string]any{"slot": slots.Slots[0].ID, "phone": "+989127773331",
		"people": []any{map[string]any{"name": "ZQXNAME ZQXGIVEN", "document": doc, "age": 48}}}, &b); err != nil || b.Booking == nil {
		t.Fatal(err, b)
	}
	for _, name := range []string{"test", "dose", "forged", "damaged", "card", "codes", "code of two", "codes of two", "seal", "words"} {
		for _, s := range []*Side{d.A, d.B} {
			var out json.RawMessage
			if err := call(s, "clerk", "/api/v1/certificates/check", map[string]any{"slot": slots.Slots[0].ID, "certificate": texts[name]}, &out); err != nil && leaks(err.Error()) != "" {
				t.Errorf("%s: the answer repeats %s", name, leaks(err.Error()))
			}
			if found := leaks(string(out)); found != "" {
				t.Errorf("%s: the check's answer repeats %s", name, found)
			}
			for _, direction := range []string{"in", "out"} {
				var a json.RawMessage
				err := call(s, "gate", "/api/v1/gate/scans", map[string]any{"site": playSite, "gate": gateOf(s.Side), "direction": direction, "pass": b.Booking.Members[0].Pass, "proof": texts[name],
					"document": doc, "screening": map[string]any{"temp_tenths": 398, "symptoms": true}}, &a)
				if err != nil && leaks(err.Error()) != "" {
					t.Errorf("%s: the answer repeats %s", name, leaks(err.Error()))
				}
				if err != nil {
					t.Errorf("%s, %s: %v", name, direction, err)
				}
				if found := leaks(string(a)); found != "" {
					t.Errorf("%s, %s: the gate's answer repeats %s", name, direction, found)
				}
			}
		}
	}
	for range 2 {
		for _, s := range []*Side{d.A, d.B} {
			if err := s.Post.Exchange().Pull(ctx); err != nil {
				t.Error(err)
			}
			if err := s.Post.Tick(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	for _, s := range []*Side{d.A, d.B} {
		folder := filepath.Join(d.Dir, string(s.Side))
		if _, err := post.MakeBackup(ctx, s.Post.Config, filepath.Join(folder, post.ConfigFile), filepath.Join(d.Dir, "backup-"+string(s.Side)), true, d.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	dump := make([]byte, 4<<20)
	dump = dump[:runtime.Stack(dump, true)]
	if found := leaks(string(dump)); found != "" {
		t.Errorf("a crash would print %s", found)
	}
	look := func(when string) {
		t.Helper()
		files, wal := 0, false
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			have, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files, wal = files+1, wal || strings.HasSuffix(path, "-wal") && len(have) > 0
			if found := leaks(string(have)); found != "" {
				t.Errorf("%s: %s holds %s", when, path, found)
			}
			return nil
		})
		if err != nil || files < 20 {
			t.Fatalf("%s: %d files: %v", when, files, err)
		}
		if when == "running" && !wal {
			t.Error("there is no write-ahead log to look through")
		}
	}
	look("running")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	look("stopped")
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.b.Len() == 0 {
		t.Error("nothing was logged")
	}
	if found := leaks(log.b.String()); found != "" {
		t.Errorf("the log holds %s", found)
	}
}

// holds returns the canaries that a text holds, as they are, in base64 or in hexadecimal.
func holds(s string, canaries []string) string {
	var found []string
	for _, c := range canaries {
		forms := []string{c, fmt.Sprintf("%x", c), fmt.Sprintf("%X", c)}
		for i := range 3 { // whatever stands before it
			b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", i) + c))
			forms = append(forms, b[(i*8+5)/6:len(b)-1])
		}
		for _, f := range forms {
			if strings.Contains(s, f) {
				found = append(found, c)
				break
			}
		}
	}
	return strings.Join(found, " ")
}
