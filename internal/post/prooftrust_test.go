// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	prooftrust "darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
)

// signerOf returns a key with its certificate, PEM, and a certificate of health that it signed.
func signerOf(t *testing.T, now time.Time) (certificate []byte, text string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"AT"}, CommonName: "signer"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := prooftrust.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	text, err = hcert.Issue(key, cert.KeyID(), &proof.Claims{Issuer: "AT", IssuedAt: now, Until: now.Add(500 * time.Hour), ID: "URN:UVCI:01:AT:1",
		Holder: proof.Holder{FamilyICAO: "CANARY", GivenICAO: "ONE"},
		Events: []proof.Event{{Kind: proof.Test, Disease: proof.COVID19, On: proof.At(now.Add(-time.Hour)), Country: "AUT", Issuer: "Lab", TestKind: proof.NAAT, Result: proof.Negative, Place: "Lab"}}})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), text
}

// TestProofTrust holds that the folder's lists count from the moment at which they lie
// there, age by the limits of the agreement, and lose themselves alone where they are broken.
func TestProofTrust(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	cert, text := signerOf(t, now)
	dir := t.TempDir()
	var log bytes.Buffer
	p := &proofTrust{dir: dir, log: slog.New(slog.NewTextHandler(&log, nil)), seen: &seen{file: filepath.Join(t.TempDir(), "seen.json")}}
	limits := prooftrust.Limits{Stale: 24 * time.Hour, TooOld: 72 * time.Hour}
	faults := func(limits prooftrust.Limits, at time.Time) ([]proof.Fault, []proof.Fault) {
		l := p.lists(limits, at)
		rs := verify.Text([]byte(text), l, l, at)
		return rs[0].Faults, rs[0].Notes
	}
	is := func(what string, got []proof.Fault, want ...proof.Fault) {
		t.Helper()
		for _, w := range want {
			for _, g := range got {
				if g == w {
					return
				}
			}
		}
		if len(want) > 0 || len(got) > 0 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	f, _ := faults(limits, now)
	is("an empty folder", f, proof.ListMissing)
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".part", []byte("half a file"))
	write("broken.json", []byte("{"))
	write("at.pem", cert)
	f, _ = faults(limits, now)
	is("a new list", f)
	if !strings.Contains(log.String(), "broken.json") || strings.Contains(log.String(), ".part") {
		t.Errorf("the log: %s", log.String())
	}
	old := func(d time.Duration) {
		if err := os.Chtimes(filepath.Join(dir, "at.pem"), now.Add(-d), now.Add(-d)); err != nil {
			t.Fatal(err)
		}
	}
	old(25 * time.Hour)
	f, n := faults(limits, now)
	is("a stale list", f)
	is("a stale list's note", n, proof.ListStale)
	old(73 * time.Hour)
	f, _ = faults(limits, now)
	is("a list that is too old", f, proof.ListTooOld)
	f, _ = faults(prooftrust.Limits{}, now)
	is("no limits", f)
	if err := os.Remove(filepath.Join(dir, "at.pem")); err != nil {
		t.Fatal(err)
	}
	f, _ = faults(prooftrust.Limits{}, now)
	is("a list that was taken away", f, proof.ListMissing)
}

// TestSeen holds that of lists that both sides sign the highest number counts, that none
// below it comes back, not after a restart either, and of one number no second list; and
// that a clock is doubted which shows a time that has been, or one before the list.
func TestSeen(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	var keys [2]*ecdsa.PrivateKey
	var pub []byte
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		keys[i], pub = key, append(pub, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	texts, certs := [2]string{}, [2]*prooftrust.Certificate{}
	for i := range texts {
		var b []byte
		b, texts[i] = signerOf(t, now)
		block, _ := pem.Decode(b)
		var err error
		if certs[i], err = prooftrust.ParseCertificate(block.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	both := func(number uint64, of ...*prooftrust.Certificate) []byte {
		t.Helper()
		l := prooftrust.NewList("", now)
		for _, c := range of {
			l.AddCertificate(nil, "", c)
		}
		body, err := prooftrust.Compose(number, now, l)
		if err != nil {
			t.Fatal(err)
		}
		var sigs [][]byte
		for _, k := range keys {
			sig, err := prooftrust.Sign(k, body)
			if err != nil {
				t.Fatal(err)
			}
			sigs = append(sigs, sig)
		}
		b, err := prooftrust.Bind(body, sigs...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "head", "seen.json")
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(SidesFile, pub)
	start := func() *proofTrust {
		t.Helper()
		s, err := openSeen(file)
		if err != nil {
			t.Fatal(err)
		}
		return &proofTrust{dir: dir, log: slog.New(slog.DiscardHandler), seen: s}
	}
	p := start()
	is := func(what string, first, second bool) {
		t.Helper()
		for i, want := range []bool{first, second} {
			l := p.lists(prooftrust.Limits{}, now)
			if got := verify.Text([]byte(texts[i]), l, l, now)[0]; got.Genuine() != want {
				t.Errorf("%s: certificate %d genuine %v, want %v: %v", what, i, got.Genuine(), want, got.Faults)
			}
		}
	}
	write("list.json", both(7, certs[0], certs[1]))
	is("list 7", true, true)
	write("later.json", both(8, certs[1]))
	is("list 8 beside it", false, true)
	for _, name := range []string{"later.json", "list.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("list.json", both(7, certs[0], certs[1]))
	is("list 7 again", false, false)
	p = start()
	is("list 7 after a restart", false, false)
	write("list.json", both(8, certs[0]))
	is("another list 8", false, false)
	write("list.json", both(8, certs[1]))
	is("list 8 again", false, true)
	write("copy.json", both(8, certs[1]))
	is("list 8 twice", false, true)
	write("copy.json", both(8, certs[0]))
	is("two of number 8", false, true)
	write("list.json", both(9, certs[0]))
	is("list 9", true, false)

	// The clock.
	for d, want := range map[time.Duration]bool{0: false, -2 * time.Minute: false, -3 * time.Minute: true} {
		if got := p.seen.behind(now.Add(d)); got != want {
			t.Errorf("%v from the list: behind %v", d, got)
		}
	}
	for _, d := range []time.Duration{time.Hour, time.Hour + 9*time.Minute, time.Hour} {
		if err := p.seen.tick(now.Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	if !p.seen.behind(now.Add(time.Hour)) || p.seen.behind(now.Add(time.Hour+8*time.Minute)) {
		t.Error("the latest time that was shown does not count")
	}
	p = start()
	if !p.seen.behind(now.Add(57*time.Minute)) || p.seen.behind(now.Add(time.Hour)) {
		t.Error("the time is forgotten with a restart")
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSeen(file); err == nil {
		t.Error("a damaged file is a new one")
	}
}
