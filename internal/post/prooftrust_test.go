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
	p := &proofTrust{dir: dir, log: slog.New(slog.NewTextHandler(&log, nil))}
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
