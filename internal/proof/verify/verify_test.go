// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/trust"
)

const vectors = "../../../../shared/vectors/"

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issue returns a certificate of a test and its signer's certificate.
func issue() (text string, der []byte) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), Subject: pkix.Name{Country: []string{"AT"}}}
	der = must(x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key))
	text = must(hcert.Issue(key, must(trust.ParseCertificate(der)).KeyID(), &proof.Claims{Issuer: "AT", IssuedAt: now, Until: now.Add(time.Hour), ID: "URN:UVCI:01:AT:1", Holder: proof.Holder{FamilyICAO: "REZAEI"},
		Events: []proof.Event{{Kind: proof.Test, Disease: proof.Cholera, On: must(proof.ParseDate("2026-03-01T08:00:00Z")), Country: "AUT", Issuer: "Post", TestKind: proof.Antigen, Result: proof.Negative}}}))
	return text, der
}

func TestText(t *testing.T) {
	text, der := issue()
	lists := NewLists(trust.Limits{})
	if err := lists.AddCertificate("signer.cer", der, now); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text   string
		format proof.Format
		n      int
		want   proof.Fault
	}{
		"one":               {text, proof.DCC, 1, ""},
		"a file's":          {"\ufeff" + text + "\r\n", proof.DCC, 1, ""},
		"two lines":         {text + "\n\n" + text, proof.DCC, 2, ""},
		"small prefix":      {"hc1:" + text[4:], "", 1, proof.NotProof},
		"damaged":           {text[:40], proof.DCC, 1, proof.Unreadable},
		"nothing":           {"", "", 1, proof.NotProof},
		"an address":        {"https://example.test", "", 1, proof.NotProof},
		"a pass of our own": {"DP1:6BF", "", 1, proof.NotProof},
		"a card in letters": {"shc:/abc", proof.SHC, 1, proof.Unreadable},
		"too much":          {strings.Repeat("A", MaxText+1), "", 1, proof.TooLarge},
	} {
		rs := Text([]byte(c.text), lists, lists, now)
		if len(rs) != c.n || rs[0].Format != c.format {
			t.Errorf("%s: %d results, %q", name, len(rs), rs[0].Format)
			continue
		}
		if genuine := c.want == "" && c.format == proof.DCC; rs[0].Genuine() != genuine || c.want != "" && (len(rs[0].Faults) == 0 || rs[0].Faults[0] != c.want) {
			t.Errorf("%s: %v", name, rs[0].Faults)
		}
	}
	if rs := Text([]byte(strings.Repeat(text+"\n", maxLines+5)), lists, lists, now); len(rs) != maxLines+1 || rs[maxLines].Faults[0] != proof.TooLarge {
		t.Errorf("many lines: %d", len(rs))
	}
}

// TestLists: each form of list goes to the format that it is for, and a revocation of
// one refuses it.
func TestLists(t *testing.T) {
	text, der := issue()
	cert := must(trust.ParseCertificate(der))
	entry := must(json.Marshal([]any{map[string]string{"kid": base64.StdEncoding.EncodeToString(cert.KeyID()), "country": "AT", "rawData": base64.StdEncoding.EncodeToString(der)}}))
	a, b := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	list := trust.NewList("ours", now)
	list.AddCertificate(nil, "", cert)
	body := must(trust.Compose(1, now, list))
	signed := must(trust.Bind(body, must(trust.Sign(a, body)), must(trust.Sign(b, body))))
	for name, file := range map[string][]byte{"gateway": entry, "of two sides": signed} {
		lists := NewLists(trust.Limits{TooOld: time.Hour})
		if err := lists.Add(name, file, now, trust.BySides(&a.PublicKey, &b.PublicKey)); err != nil || lists.Len() != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if r := Text([]byte(text), lists, lists, now)[0]; !r.Genuine() {
			t.Errorf("%s: %v", name, r.Faults)
		}
		lists.Ready(now)
		if r := Text([]byte(text), lists, lists, now.Add(2*time.Hour))[0]; r.Genuine() || r.Faults[0] != proof.ListTooOld {
			t.Errorf("%s, old: %v", name, r.Faults)
		}
		// What a filter has and nobody confirms refuses nobody, and is said.
		hashes := []proof.Hash{proof.NewHash(proof.HashUVCI, []byte("URN:UVCI:01:AT:1"))}
		lists.AddRevocation(trust.NewRevoked(must(trust.NewFilter(hashes)), nil, now, trust.Limits{}))
		if r := Text([]byte(text), lists, lists, now)[0]; !r.Genuine() || !slices.Contains(r.Notes, proof.RevocationMaybe) {
			t.Errorf("%s, not confirmed: %v, notes %v", name, r.Faults, r.Notes)
		}
		lists.AddRevocation(trust.NewRevoked(nil, trust.NewEntries(hashes).Has, now, trust.Limits{}))
		if r := Text([]byte(text), lists, lists, now)[0]; r.Genuine() || r.Faults[0] != proof.Revoked {
			t.Errorf("%s, revoked: %v", name, r.Faults)
		}
	}
	lists := NewLists(trust.Limits{})
	if err := lists.Add("signed", signed, now, nil); !errors.Is(err, ErrSides) {
		t.Errorf("without the sides' keys: %v", err)
	}
	if err := lists.Add("signed", signed, now, trust.BySides(&a.PublicKey, &a.PublicKey)); !errors.Is(err, trust.ErrSigned) {
		t.Errorf("with others' keys: %v", err)
	}
	if err := lists.Add("text", []byte("hello"), now, nil); !errors.Is(err, trust.ErrForm) {
		t.Errorf("no list: %v", err)
	}
}

// TestPublished: one list of each kind, and a certificate of each format.
func TestPublished(t *testing.T) {
	if _, err := os.Stat(vectors); err != nil {
		t.Skipf("the vectors are not there: %v", err)
	}
	lists := NewLists(trust.Limits{})
	for _, name := range []string{"gdhcn/did-dev-v1.json", "gdhcn/uat/did.json", "shc/examples/issuer/.well-known/jwks.json", "shc/examples/issuer/.well-known/crl/3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s.json"} {
		if err := lists.Add(name, must(os.ReadFile(vectors+name)), time.Time{}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for file, format := range map[string]proof.Format{"icvp/DVCTest3QR.txt": proof.DVC, "shc/examples/example-00-f-qr-code-numeric-value-0.txt": proof.SHC, "shc/examples/example-00-e-file.smart-health-card": proof.SHC} {
		rs := Text(must(os.ReadFile(vectors+file)), lists, lists, time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC))
		if len(rs) != 1 || rs[0].Format != format || !rs[0].Genuine() {
			t.Errorf("%s: %v", file, rs[0].Faults)
		}
	}
	if rs := Text(must(os.ReadFile(vectors+"vdsnc/test.txt")), lists, lists, now); rs[0].Format != proof.VDSNC || rs[0].Genuine() {
		t.Errorf("a seal of nobody's: %v", rs[0].Faults)
	}
}

// TestWithdrawnCard: a list takes a card's key back by its id, as the card writes it and
// decoded, and however old the list is.
func TestWithdrawnCard(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := must(key.PublicKey.Bytes())
	b64 := base64.RawURLEncoding.EncodeToString
	x, y := b64(point[1:33]), b64(point[33:])
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	kid := b64(sum[:])
	file := []byte(`{"keys":[{"kty":"EC","use":"sig","alg":"ES256","crv":"P-256","kid":"` + kid + `","x":"` + x + `","y":"` + y + `"}]}`)
	withdraw := func(lists *Lists, id []byte, country string) *Lists {
		gone := trust.NewList("gone", now.AddDate(-3, 0, 0))
		gone.Withdraw(id, country)
		return lists.With(gone)
	}
	lists := NewLists(trust.Limits{TooOld: time.Hour})
	if err := lists.Add("jwks.json", file, now, nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id      []byte
		country string
		want    bool
	}{
		"as written":   {[]byte(kid), "", true},
		"decoded":      {sum[:], "", true},
		"of a country": {[]byte(kid), "AUT", true},
		"another":      {[]byte("other678"), "", false},
		"none":         {nil, "", false},
	} {
		ks, age := withdraw(lists, c.id, c.country).Keys(proof.Query{Format: proof.SHC, KeyID: []byte(kid), At: now})
		if len(ks) != 1 || age != proof.Fresh || ks[0].Withdrawn != c.want {
			t.Errorf("%s: %+v, age %d", name, ks, age)
		}
	}
	if ks, _ := lists.Keys(proof.Query{Format: proof.SHC, KeyID: []byte(kid), At: now}); len(ks) != 1 || ks[0].Withdrawn {
		t.Errorf("the lists were changed by asking: %+v", ks)
	}

	if _, err := os.Stat(vectors); err != nil {
		t.Skipf("the vectors are not there: %v", err)
	}
	lists = NewLists(trust.Limits{})
	if err := lists.Add("jwks.json", must(os.ReadFile(vectors+"shc/examples/issuer/.well-known/jwks.json")), time.Time{}, nil); err != nil {
		t.Fatal(err)
	}
	text := must(os.ReadFile(vectors + "shc/examples/example-00-f-qr-code-numeric-value-0.txt"))
	r := Text(text, lists, lists, now)[0]
	if !r.Genuine() {
		t.Fatalf("the example: %v", r.Faults)
	}
	gone := withdraw(lists, r.KeyID, "")
	if r := Text(text, gone, gone, now)[0]; r.Genuine() || !slices.Equal(r.Faults, []proof.Fault{proof.KeyRevoked}) {
		t.Errorf("the example, its key taken back: genuine %v, faults %v", r.Genuine(), r.Faults)
	}
}

// FuzzText: no text takes the program with it, and none is genuine by no list.
func FuzzText(f *testing.F) {
	text, _ := issue()
	f.Add([]byte(text))
	f.Add([]byte("shc:/567629595326546034602925"))
	f.Add([]byte(`{"data":{"hdr":{"t":"icao.test","v":1,"is":"UTO"},"msg":{}},"sig":{"alg":"ES256"}}`))
	lists := NewLists(trust.Limits{})
	lists.Ready(now)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range Text(b, lists, lists, now) {
			if r.Genuine() || len(r.Faults) == 0 {
				t.Fatalf("%q", b)
			}
		}
	})
}
