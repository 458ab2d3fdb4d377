// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/trust"
	"rsc.io/qr"
)

// TestTrustCommand takes a list of two sides all its way: composed, shown, signed by each,
// and believed by verify and by conformance only with the keys of the sides that signed.
func TestTrustCommand(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ask := func(want int, args ...string) string {
		t.Helper()
		out, status := runTest(t, args...)
		if status != want {
			t.Fatalf("%q: status %d, want %d\n%s", args, status, want, out)
		}
		return out
	}
	invalid, conflict, untrusted := problem.Invalid.ExitStatus(), problem.Conflict.ExitStatus(), problem.Untrusted.ExitStatus()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"AT"}}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(1, 0, 0)}, &x509.Certificate{Subject: pkix.Name{Country: []string{"AT"}}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := trust.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	write("certificates/signer.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	code := issueOne(t, key, cert.KeyID(), now)
	write("code.txt", []byte(code))
	write("pictures/AT.png", pictureOf(t, code))

	for _, name := range []string{"a.key", "b.key", "c.key"} {
		ask(0, "agreement", "signer", at(name))
	}
	write("sides.pem", append(read("a.key.pub"), read("b.key.pub")...))
	write("others.pem", append(read("a.key.pub"), read("c.key.pub")...))

	list := at("list.json")
	out := ask(0, "trust", "compose", "--number", "7", "--issued", "2026-11-20T00:00:00Z", "--to", list, at("certificates"))
	if !strings.Contains(out, "list 7 of 2026-11-20T00:00:00Z, SHA-256 ") || !strings.Contains(out, "\n1 key\n  AUT 1\n") {
		t.Errorf("composed: %s", out)
	}
	if shown := ask(0, "trust", "show", list); !strings.HasPrefix(shown, out) || !strings.HasSuffix(shown, "0 signatures, which --sides checks\n") {
		t.Errorf("shown: %s", shown)
	}
	ask(conflict, "trust", "compose", "--number", "8", "--to", list, at("certificates"))
	for _, args := range [][]string{{"trust"}, {"trust", "bind"}, {"trust", "compose", list}, {"trust", "compose", "--number", "8", "--to", at("x"), at("sides.pem")},
		{"trust", "compose", "--number", "8", "--to", at("x"), "--withdraw", "?", at("certificates")}, {"trust", "compose", "--number", "8", "--to", at("x"), "--withdraw", "AAAA:Nowhere", at("certificates")},
		{"trust", "sign", list}, {"trust", "show", at("sides.pem")}} {
		ask(invalid, args...)
	}

	// The verifier believes a list of one side no more than one of none.
	verify := func(want int, sides string) {
		t.Helper()
		ask(want, "verify", at("code.txt"), "--trust", list, "--sides", at(sides))
	}
	verify(invalid, "sides.pem")
	ask(0, "trust", "sign", "--key", at("a.key"), list)
	if out := ask(0, "trust", "sign", "--key", at("a.key"), list); !strings.HasSuffix(out, "it has 1 signature\n") {
		t.Errorf("signed twice: %s", out)
	}
	if out := ask(untrusted, "trust", "show", "--sides", at("sides.pem"), list); !strings.HasSuffix(out, "side A has signed\nside B has not signed\n") {
		t.Errorf("one side: %s", out)
	}
	verify(invalid, "sides.pem")
	ask(invalid, "verify", at("code.txt"), "--trust", list)
	ask(0, "trust", "sign", "--key", at("b.key"), list)
	if out := ask(0, "trust", "show", "--sides", at("sides.pem"), list); !strings.HasSuffix(out, "side A has signed\nside B has signed\n") {
		t.Errorf("both sides: %s", out)
	}
	ask(untrusted, "trust", "show", "--sides", at("others.pem"), list)
	verify(0, "sides.pem")
	verify(invalid, "others.pem")
	if out := ask(0, "conformance", "qa", at("pictures"), "--trust", list, "--sides", at("sides.pem")); !strings.Contains(out, "signature          1 of 1\n") {
		t.Errorf("conformance: %s", out)
	}
	ask(invalid, "conformance", "qa", at("pictures"), "--trust", list, "--sides", at("others.pem"))
	var told struct {
		Number, Keys, Signatures int
		A, B                     *bool
		Countries                map[string]int
	}
	if err := json.Unmarshal([]byte(ask(0, "trust", "show", "--json", "--sides", at("sides.pem"), list)), &told); err != nil || told.Number != 7 || told.Keys != 1 ||
		told.Signatures != 2 || told.A == nil || !*told.A || told.B == nil || !*told.B || told.Countries["AUT"] != 1 {
		t.Errorf("%v: %+v", err, told)
	}

	// The next list is made of the last one. It takes the key back, and has a higher number.
	next, kid := at("next.json"), base64.StdEncoding.EncodeToString(cert.KeyID())
	ask(conflict, "trust", "compose", "--number", "7", "--to", next, "--sides", at("sides.pem"), list)
	if out := ask(0, "trust", "compose", "--number", "8", "--to", next, "--sides", at("sides.pem"), "--withdraw", kid+":AT", list); !strings.Contains(out, "withdrawn "+kid+" of AUT\n") {
		t.Errorf("withdrawn: %s", out)
	}
	ask(0, "trust", "sign", "--key", at("a.key"), next)
	ask(0, "trust", "sign", "--key", at("b.key"), next)
	if out := ask(untrusted, "verify", at("code.txt"), "--trust", next, "--sides", at("sides.pem")); !strings.Contains(out, "(proof.key.revoked)") {
		t.Errorf("withdrawn: %s", out)
	}
	// A card's key is taken back by its thumbprint, which is written in letters of base64url.
	thumb := "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"
	if out := ask(0, "trust", "compose", "--number", "9", "--to", at("card.json"), "--withdraw", thumb, at("certificates")); !strings.Contains(out, "withdrawn 3Kfdg+XwP+7gXyywtUfUADwBumDOPKMQx+iELL11W9s= of every country\n") {
		t.Errorf("withdrawn: %s", out)
	}
	// A letter of the list that is another loses both signatures.
	write("next.json", bytes.Replace(read("next.json"), []byte(base64.StdEncoding.EncodeToString([]byte(`{"number":8,"i`))[:16]), []byte(base64.StdEncoding.EncodeToString([]byte(`{"number":9,"i`))[:16]), 1))
	if out := ask(untrusted, "trust", "show", "--sides", at("sides.pem"), next); !strings.HasPrefix(out, "list 9 of ") || !strings.HasSuffix(out, "side A has not signed\nside B has not signed\n") {
		t.Errorf("altered: %s", out)
	}
}

// issueOne returns a test as a health desk issues it.
func issueOne(t *testing.T, key *ecdsa.PrivateKey, kid []byte, now time.Time) string {
	t.Helper()
	on, err := proof.ParseDate(now.Add(-time.Hour).Format(time.RFC3339))
	if err != nil {
		t.Fatal(err)
	}
	text, err := hcert.Issue(key, kid, &proof.Claims{Issuer: "AT", IssuedAt: now, Until: now.AddDate(0, 0, 7), ID: "URN:UVCI:01:AT:1", Holder: proof.Holder{FamilyICAO: "SPECIMEN"},
		Events: []proof.Event{{Kind: proof.Test, Disease: proof.Cholera, On: on, Country: "AUT", Issuer: "Post", TestKind: proof.Antigen, Result: proof.Negative}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// pictureOf draws a code.
func pictureOf(t *testing.T, text string) []byte {
	t.Helper()
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	const scale, edge = 4, 16
	n := code.Size*scale + 2*edge
	img := image.NewGray(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			img.SetGray(x, y, color.Gray{Y: 255})
			if x >= edge && y >= edge && code.Black((x-edge)/scale, (y-edge)/scale) {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRevokedCommand takes revocations their way: a batch, the filter of it, and what
// verify says with the one, the other and both.
func TestRevokedCommand(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(want int, args ...string) string {
		t.Helper()
		out, status := runTest(t, args...)
		if status != want {
			t.Fatalf("%q: status %d, want %d\n%s", args, status, want, out)
		}
		return out
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"GR"}}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)},
		&x509.Certificate{Subject: pkix.Name{Country: []string{"GR"}}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := trust.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	const id = "URN:UVCI:01:GR:1#2"
	text, err := hcert.Issue(key, cert.KeyID(), &proof.Claims{Issuer: "GR", IssuedAt: now, Until: now.Add(time.Hour), ID: id, Holder: proof.Holder{FamilyICAO: "CANARY"},
		Events: []proof.Event{{Kind: proof.Test, Disease: proof.COVID19, On: proof.At(now), Country: "GRC", Issuer: "Lab", TestKind: proof.NAAT, Result: proof.Negative, Place: "Lab"}}})
	if err != nil {
		t.Fatal(err)
	}
	write("code.txt", []byte(text))
	// Greece revokes as EL what it issues as GR.
	entry := func(kind proof.HashKind, value string) string {
		sum := proof.NewHash(kind, []byte(value)).Sum
		return `{"hash":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}`
	}
	write("batch.json", []byte(`{"hashType":"COUNTRYCODEUCI","entries":[`+entry(proof.HashCountryUCI, "EL"+id)+`,`+entry(proof.HashCountryUCI, "ELother")+`]}`))
	write("other.json", []byte(`{"hashType":"UCI","entries":[`+entry(proof.HashUVCI, "another")+`]}`))
	write("cards.json", []byte(`{"kid":"some-key","method":"rid","ctr":3,"rids":["abc","def.1600000000"]}`))

	if out := ask(0, "trust", "filter", "--to", at("revoked.filter"), at("batch.json"), at("other.json")); !strings.Contains(out, "filter of 3 revocations") || !strings.Contains(out, "15 by chance") {
		t.Errorf("filter: %s", out)
	}
	ask(problem.Invalid.ExitStatus(), "trust", "filter", "--to", at("none.filter"), at("cards.json"))
	for file, want := range map[string]string{"revoked.filter": "filter of 3", "batch.json": "revokes 2 by countryuvci", "other.json": "revokes 1 by uvci", "cards.json": "revokes 2 cards of the key some-key, list 3"} {
		if out := ask(0, "trust", "show", at(file)); !strings.Contains(out, want) {
			t.Errorf("show %s: %s", file, out)
		}
	}
	if out := ask(0, "trust", "show", "--json", at("revoked.filter")); !strings.Contains(out, `"filter": 3`) {
		t.Errorf("show --json: %s", out)
	}
	untrusted := problem.Untrusted.ExitStatus()
	for _, tt := range []struct {
		status int
		want   string
		lists  []string
	}{
		{0, "proof.revocation.missing", nil},
		{untrusted, "proof.revocation.revoked", []string{"batch.json"}},
		{0, "", []string{"other.json"}},
		{0, "proof.revocation.unconfirmed", []string{"revoked.filter"}},
		{0, "proof.revocation.unconfirmed", []string{"revoked.filter", "other.json"}}, // the entry may lie in a batch that is not here
		{untrusted, "proof.revocation.revoked", []string{"revoked.filter", "batch.json"}},
	} {
		args := []string{"verify", at("code.txt"), "--at", now.Format(time.RFC3339), "--trust", at("key.pem")}
		for _, l := range tt.lists {
			args = append(args, "--trust", at(l))
		}
		out := ask(tt.status, args...)
		if tt.want == "" && strings.Contains(out, "proof.revocation") || !strings.Contains(out, tt.want) {
			t.Errorf("%v: %s", tt.lists, out)
		}
	}
}
