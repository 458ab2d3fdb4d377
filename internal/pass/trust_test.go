// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/problem"
)

func TestCertificates(t *testing.T) {
	a, b := newParty(SideA), newParty(SideB)
	bare := must(NewTrust(map[Side]*ecdsa.PublicKey{SideA: a.root.Public(), SideB: b.root.Public()}))
	stranger := testKey(SideA, "stranger")
	for _, tt := range []struct {
		name string
		cert []byte
		want string
	}{
		{"good", a.certs[0], ""},
		{"by nobody's root", must(Certify(stranger, a.pass.Public(), UsePass, day, until)), "certificate.root"},
		{"by a key that the root certified", must(Certify(a.pass, stranger.Public(), UsePass, day, until)), "certificate.root"},
		{"of the other side, by a root that claims to be it", must(Certify(&Key{SideB, a.root.id, a.root.priv}, a.pass.Public(), UsePass, day, until)), "certificate.root"},
		{"root's name, another's signature", must(Certify(&Key{SideA, a.root.id, stranger.priv}, stranger.Public(), UsePass, day, until)), "certificate.signature"},
		{"nothing", nil, "certificate.unreadable"},
		{"a byte more", append(bytes.Clone(a.certs[0]), 0), "certificate.unreadable"},
		{"a pass", []byte(must(Sign(a.pass, testClaims(SideA)))), "certificate.unreadable"},
		{"huge", make([]byte, 1<<20), "certificate.unreadable"},
		{"a message of the same form for another purpose", must(SignMessage(a.root, must(payloadOf(a.certs[0])), nil)), "certificate.signature"},
	} {
		grown, err := bare.With(tt.cert)
		if got := codeOf(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if n := len(grown.Certificates()); n != 0 && tt.want != "" || n != 1 && tt.want == "" {
			t.Errorf("%s: %d certificates", tt.name, n)
		}
		if len(bare.Certificates()) != 0 {
			t.Fatalf("%s: the trust it grew from has changed", tt.name)
		}
	}
	// Well signed, and not of the form: each field of a certificate put wrong by its root.
	payload := must(payloadOf(a.certs[0]))
	for name, change := range map[string]func(b []byte) []byte{
		"another key's id":    func(b []byte) []byte { b[len(b)-36] ^= 1; return b },
		"off the curve":       func(b []byte) []byte { b[len(b)-33] = 5; return b },
		"no use":              func(b []byte) []byte { b[len(b)-45] = 0; return b },
		"a signer of no name": func(b []byte) []byte { b[len(b)-45] = 5; return b },
		"a pass of a name":    func(b []byte) []byte { b[len(b)-47]++; return append(b, 1, 'x') },
		"a use of tomorrow":   func(b []byte) []byte { b[len(b)-45] = 6; return b },
		"a third side":        func(b []byte) []byte { b[len(b)-46] = 3; return b },
		"ends before":         func(b []byte) []byte { copy(b[8:12], []byte{0xff, 0xff, 0xff, 0xff}); return b },
		"a byte more":         func(b []byte) []byte { return append(b, 0) },
		"another map":         func(b []byte) []byte { b[0]++; return b },
	} {
		bad := must(a.root.sign(change(bytes.Clone(payload)), externalCertificate()))
		if _, err := bare.With(bad); codeOf(err) != "certificate.unreadable" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := bare.With(must(a.root.sign(payload, externalCertificate()))); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	for i := range a.certs[0] {
		bad := bytes.Clone(a.certs[0])
		bad[i] ^= 4
		if grown, err := bare.With(bad); err == nil || len(grown.Certificates()) != 0 {
			t.Errorf("byte %d altered: taken", i)
		}
	}
}

func payloadOf(cert []byte) ([]byte, error) {
	_, m, err := parseCertificate(cert)
	return m.Payload, err
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return problem.CodeOf(err)
}

func TestCertifyRefuses(t *testing.T) {
	root, key := testKey(SideA, "root"), testKey(SideA, "key")
	for name, f := range map[string]func() ([]byte, error){
		"itself": func() ([]byte, error) { return Certify(root, root.Public(), UsePass, day, until) },
		"no key": func() ([]byte, error) { return Certify(root, nil, UsePass, day, until) },
		"other curve": func() ([]byte, error) {
			return Certify(root, &ecdsa.PublicKey{Curve: elliptic.P384()}, UsePass, day, until)
		},
		"no use":    func() ([]byte, error) { return Certify(root, key.Public(), 0, day, until) },
		"later use": func() ([]byte, error) { return Certify(root, key.Public(), 6, day, until) },
		"no name":   func() ([]byte, error) { return Certify(root, key.Public(), UseSigner, day, until) },
		"bad name":  func() ([]byte, error) { return CertifySigner(root, key.Public(), "Sana Baloch", day, until) },
		"no time":   func() ([]byte, error) { return Certify(root, key.Public(), UsePass, day, day) },
		"its root":  func() ([]byte, error) { return Revoke(root, root.ID(), day) },
		"when":      func() ([]byte, error) { return Revoke(root, key.ID(), time.Time{}) },
	} {
		if b, err := f(); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: got %x, %v", name, b, err)
		}
	}
}

// TestRenewal wants the longer certificate of a key to win in whatever order they come.
func TestRenewal(t *testing.T) {
	a := newParty(SideA)
	later := must(Certify(a.root, a.pass.Public(), UsePass, day, until.AddDate(0, 1, 0)))
	other := must(Certify(a.root, a.pass.Public(), UseReceipt, day, until.AddDate(0, 2, 0)))
	for _, order := range [][][]byte{{a.certs[0], later}, {later, a.certs[0]}, {later, later}} {
		trust := must(must(NewTrust(map[Side]*ecdsa.PublicKey{SideA: a.root.Public()})).With(order...))
		cs := trust.Certificates()
		if len(cs) != 1 || !cs[0].Until.Equal(until.AddDate(0, 1, 0)) || cs[0].Use != UsePass || cs[0].Root != a.root.ID() {
			t.Errorf("got %+v", cs)
		}
		if raw := trust.Raw(SideA); len(raw) != 1 || !bytes.Equal(raw[0], later) || len(trust.Raw(SideB)) != 0 {
			t.Errorf("hands on %x", raw)
		}
		if err := trust.Add(other); codeOf(err) != "certificate.use" {
			t.Errorf("a second use: %v", err)
		}
	}
}

// TestRevocation wants a revocation to hold whatever comes before and after it, and
// one side's word to do nothing to the other side's keys.
func TestRevocation(t *testing.T) {
	a, b := newParty(SideA), newParty(SideB)
	roots := map[Side]*ecdsa.PublicKey{SideA: a.root.Public(), SideB: b.root.Public()}
	gone := must(Revoke(a.root, a.pass.ID(), noon))
	goneLater := must(Revoke(a.root, a.pass.ID(), noon.Add(time.Hour)))
	renewed := must(Certify(a.root, a.pass.Public(), UsePass, day, until.AddDate(0, 1, 0)))
	text := must(Sign(a.pass, testClaims(SideA)))
	for i, order := range [][][]byte{
		{a.certs[0], gone}, {gone, a.certs[0]}, {gone}, {a.certs[0], gone, renewed}, {gone, renewed, a.certs[0]}, {a.certs[0], goneLater, gone, goneLater},
	} {
		trust := must(must(NewTrust(roots)).With(order...))
		if _, fault := trust.Verify(text, noon); fault != KeyRevoked {
			t.Errorf("order %d: got %q", i, fault)
		}
		if raw := trust.Raw(SideA); len(raw) != 1 || !bytes.Equal(raw[0], gone) {
			t.Errorf("order %d: hands on %x", i, raw)
		}
		for _, c := range trust.Certificates() {
			if !c.Revoked.Equal(noon) {
				t.Errorf("order %d: revoked at %v", i, c.Revoked)
			}
		}
	}
	hostile := [][]byte{
		must(Revoke(b.root, a.pass.ID(), noon)),
		must(Certify(b.root, a.pass.Public(), UseReceipt, day, until)),
	}
	for _, order := range [][][]byte{append(hostile, a.certs[0]), {a.certs[0], hostile[0], hostile[1]}} {
		trust := must(must(NewTrust(roots)).With(order...))
		if _, fault := trust.Verify(text, noon); fault != "" {
			t.Errorf("the other side's word about a key: got %q", fault)
		}
	}
}

func TestRoots(t *testing.T) {
	a, b := testKey(SideA, "a"), testKey(SideB, "b")
	for name, roots := range map[string]map[Side]*ecdsa.PublicKey{
		"one for both": {SideA: a.Public(), SideB: a.Public()},
		"third side":   {SideA: a.Public(), 'C': b.Public()},
		"missing key":  {SideA: a.Public(), SideB: nil},
		"other curve":  {SideA: {Curve: elliptic.P224()}},
	} {
		if _, err := NewTrust(roots); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// A side that changes its root is believed under both.
	trust := must(NewTrust(map[Side]*ecdsa.PublicKey{SideA: a.Public()}))
	next := testKey(SideA, "next")
	if err := trust.AddRoot(SideA, next.Public()); err != nil {
		t.Fatal(err)
	}
	k1, k2 := testKey(SideA, "k1"), testKey(SideA, "k2")
	trust = must(trust.With(must(Certify(a, k1.Public(), UsePass, day, until)), must(Certify(next, k2.Public(), UsePass, day, until))))
	if n := len(trust.Certificates()); n != 2 {
		t.Errorf("%d certificates", n)
	}
	if err := trust.AddRoot('C', b.Public()); err == nil {
		t.Error("a third side")
	}
}

func TestMessages(t *testing.T) {
	a, b := newParty(SideA), newParty(SideB)
	trust := newTrust(a, b)
	msg := must(SignMessage(a.exchange, []byte("hello"), []byte("for this")))
	if got, err := trust.OpenMessage(SideA, UseExchange, msg, []byte("for this"), noon); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	wrongKey := must(SignMessage(a.pass, []byte("hello"), []byte("for this")))
	for name, f := range map[string]func() ([]byte, error){
		"other purpose": func() ([]byte, error) { return trust.OpenMessage(SideA, UseExchange, msg, []byte("for that"), noon) },
		"other side":    func() ([]byte, error) { return trust.OpenMessage(SideB, UseExchange, msg, []byte("for this"), noon) },
		"too late":      func() ([]byte, error) { return trust.OpenMessage(SideA, UseExchange, msg, []byte("for this"), until) },
		"too early": func() ([]byte, error) {
			return trust.OpenMessage(SideA, UseExchange, msg, []byte("for this"), day.Add(-time.Second))
		},
		"other use": func() ([]byte, error) {
			return trust.OpenMessage(SideA, UseExchange, wrongKey, []byte("for this"), noon)
		},
		"nothing": func() ([]byte, error) { return trust.OpenMessage(SideA, UseExchange, nil, nil, noon) },
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, err := SignMessage(a.exchange, make([]byte, 1<<16), nil); problem.KindOf(err) != problem.Limit {
		t.Errorf("a large message: %v", err)
	}
}

func TestKey(t *testing.T) {
	k := testKey(SideA, "k")
	text := must(k.PEM())
	back, err := ParseKey(SideA, text)
	if err != nil || back.ID() != k.ID() || back.Side() != SideA || !back.priv.Equal(k.priv) {
		t.Errorf("got %v, %v", back, err)
	}
	if again := testKey(SideA, "k"); again.ID() != k.ID() || testKey(SideA, "l").ID() == k.ID() {
		t.Error("a key is not what its source makes it")
	}
	if _, err := GenerateKey(SideA, bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("31 bytes make a key")
	}
	if _, err := GenerateKey(SideA, zeros{}); err == nil {
		t.Error("no chance makes a key")
	}
	if _, err := GenerateKey('C', seed("k")); err == nil {
		t.Error("a key of a third side")
	}
	for _, bad := range []string{"", "x", strings.Replace(string(text), "PRIVATE", "PUBLIC", 2), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", strings.Replace(string(text), "M", "N", 1)} {
		if k, err := ParseKey(SideA, []byte(bad)); err == nil {
			t.Errorf("%q: got %v", bad, k)
		}
	}
	full := must(PublicBytes(k.Public()))
	for _, b := range [][]byte{full, must(compress(k.Public()))} {
		if pub, err := ParsePublicKey(b); err != nil || !pub.Equal(k.Public()) {
			t.Errorf("%x: %v", b, err)
		}
	}
	off := bytes.Clone(full)
	off[64] ^= 1
	for _, b := range [][]byte{nil, {0}, full[:64], off, make([]byte, 33), make([]byte, 65), append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)} {
		if _, err := ParsePublicKey(b); err == nil {
			t.Errorf("%x is a key", b)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestRedacted prints secrets in every way there is.
func TestRedacted(t *testing.T) {
	k := testKey(SideA, "k")
	s := testSecrets(t)
	secret := fmt.Sprintf("%x", must(k.priv.Bytes()))
	inner := fmt.Sprintf("%x", s.binding)
	for _, v := range []any{k, *k, s, &s, []any{k, s}, struct {
		K *Key
		S Secrets
	}{k, s}, map[string]Secrets{"x": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, secret[:8]) || strings.Contains(got, inner[:8]) || strings.Contains(got, fmt.Sprint(s.binding[0], s.binding[1])) {
				t.Errorf("%s of %T prints a secret", verb, v)
			}
		}
	}
	if s.String() != "[redacted]" {
		t.Error(s.String())
	}
}

func TestDeclared(t *testing.T) {
	seen := map[Fault]bool{}
	for _, d := range Declared() {
		if !d.Code.Valid() || seen[d.Code] || d.When == "" || d.Outcome.Admits() || d.Outcome.NeedsOfficer() {
			t.Errorf("%+v", d)
		}
		seen[d.Code] = true
	}
	for _, f := range []Fault{Foreign, Unreadable, Newer, KeyUnknown, KeyRevoked, KeyEarly, KeyExpired, Forged, Early, Expired,
		ReceiptForeign, ReceiptUnreadable, ReceiptNewer, ReceiptKeyUnknown, ReceiptKeyRevoked, ReceiptUntrusted} {
		if !seen[f] {
			t.Errorf("%s is not declared", f)
		}
	}
}

func TestUse(t *testing.T) {
	var words []string
	for u := range Use(7) {
		words = append(words, u.String())
	}
	if !slices.Equal(words, []string{"?", "pass", "receipt", "exchange", "officer", "signer", "?"}) {
		t.Error(words)
	}
}

func TestSigner(t *testing.T) {
	a := newParty(SideA)
	key := testKey(SideA, "signer")
	cert := must(CertifySigner(a.root, key.Public(), "sana-baloch", day, until))
	c := must(ParseCertificate(cert))
	if c.Use != UseSigner || c.Person != "sana-baloch" || c.Key != key.ID() || c.Side != SideA {
		t.Errorf("%+v", c)
	}
	payload := bytes.Clone(must(payloadOf(cert)))
	payload[bytes.IndexByte(payload, 0x85)]-- // an array of four, and five things in it
	if _, err := ParseCertificate(must(a.root.sign(payload, externalCertificate()))); err == nil {
		t.Error("a certificate with more than it says is read")
	}
	trust := must(newTrust(a).With(cert))
	msg := must(SignMessage(key, []byte("text"), nil))
	if got, err := trust.OpenMessage(SideA, UseSigner, msg, nil, noon); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := trust.OpenMessage(SideA, UseOfficer, msg, nil, noon); err == nil {
		t.Error("a signer's key does an officer's act")
	}
	for name, want := range map[string]bool{"a": true, "ab-2": true, "": false, "root": false, "-a": false, "a-": false, "a--b": false, "a.b": false, "A": false,
		"ali reza": false, "а": false, strings.Repeat("a", 40): true, strings.Repeat("a", 41): false} {
		if ValidPerson(name) != want {
			t.Errorf("%q: want %t", name, want)
		}
	}
}

func FuzzParseCertificate(f *testing.F) {
	a := newParty(SideA)
	for _, c := range a.certs {
		f.Add(c)
	}
	f.Add(must(Revoke(a.root, a.pass.ID(), noon)))
	f.Add(must(CertifySigner(a.root, testKey(SideA, "signer").Public(), "sana-baloch", day, until)))
	f.Add([]byte{0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40})
	trust := must(NewTrust(map[Side]*ecdsa.PublicKey{SideA: a.root.Public()}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		grown, added := trust.With(b)
		if err != nil {
			if added == nil || problem.KindOf(err) != problem.Invalid {
				t.Fatalf("%v, %v", err, added)
			}
			return
		}
		if !c.Side.Valid() || c.Public == nil && c.Revoked.IsZero() || c.Public != nil && (!c.Use.Valid() || !c.From.Before(c.Until)) {
			t.Fatalf("%+v", c)
		}
		if added == nil && len(grown.Raw(SideA)) != 1 {
			t.Fatal("taken and not handed on")
		}
	})
}
