// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/pass"
)

// office is an edition with the root keys and the people of side A, nobody having signed.
type office struct {
	t     *testing.T
	root  map[Side]*ecdsa.PrivateKey
	files map[string][]byte
}

func newOffice(t *testing.T) *office {
	o := &office{t, map[Side]*ecdsa.PrivateKey{}, map[string][]byte{}}
	for _, s := range []Side{A, B} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		o.root[s] = k
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p, b := KeysFile(s, Keys{Root: point, Exchange: make([]byte, 32), Log: "example/" + string(s) + "+12345678+AbCd"})
		o.files[p] = b
	}
	return o
}

func (o *office) edition() *Edition {
	o.t.Helper()
	bare := small()
	for p := range bare {
		if strings.HasPrefix(p, "keys/") || strings.HasPrefix(p, "signatures/") {
			delete(bare, p)
		}
	}
	dir, err := Overlay(bare, o.files)
	if err != nil {
		o.t.Fatal(err)
	}
	e, err := Load(dir)
	if err != nil {
		o.t.Fatal(err)
	}
	return e
}

func (o *office) sign(side Side, k *ecdsa.PrivateKey, at time.Time) string {
	o.t.Helper()
	p, b, err := SignAs(o.edition(), side, k, at)
	if err != nil {
		o.t.Fatal(err)
	}
	o.files[p] = b
	return p
}

func TestTwoPeople(t *testing.T) {
	o := newOffice(t)
	sana := signer(t, A, o.root[A], "sana", o.files)
	omid := signer(t, A, o.root[A], "omid", o.files)
	day := signingDay()
	if p := o.sign(A, sana, day); p != "signatures/A-1.sig" {
		t.Errorf("first signs in %s", p)
	}
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrOnePerson) {
		t.Errorf("one person: %v", err)
	}
	// Who signs again is still one person.
	if p := o.sign(A, sana, day.Add(time.Hour)); p != "signatures/A-1.sig" {
		t.Errorf("the same person signs in %s", p)
	}
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrOnePerson) {
		t.Errorf("the same person twice: %v", err)
	}
	// Nor by a copy of the file.
	o.files["signatures/A-2.sig"] = o.files["signatures/A-1.sig"]
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrOnePerson) {
		t.Errorf("a copy: %v", err)
	}
	delete(o.files, "signatures/A-2.sig")
	if p := o.sign(A, omid, day); p != "signatures/A-2.sig" {
		t.Errorf("second signs in %s", p)
	}
	e := o.edition()
	if err := VerifySide(e, A); err != nil {
		t.Error(err)
	}
	if got := e.Persons(A); !slices.Equal(got, []string{"omid", "sana"}) || len(e.Persons(B)) != 0 {
		t.Errorf("signed: %v and %v", got, e.Persons(B))
	}
	s := e.Signatories(A)
	if len(s) != 2 || s[0].Person != "sana" || !s[0].At.Equal(day.Add(time.Hour)) || !s[0].Until.Equal(day.AddDate(0, 0, -1).AddDate(0, 1, 0)) {
		t.Errorf("%+v", s)
	}
	// Two names for one key are one person.
	o = newOffice(t)
	one := signer(t, A, o.root[A], "sana", o.files)
	o.sign(A, one, day)
	delete(o.files, "keys/A-signer-sana.cert")
	certify(t, A, o.root[A], one, "omid", o.files)
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrSignature) {
		t.Errorf("after the package was changed: %v", err)
	}
	o.sign(A, one, day)
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrOnePerson) {
		t.Errorf("one key by two names: %v", err)
	}
}

// TestOneKeyIsOnePerson has a root certify itself under a name, as no tool of ours does.
func TestOneKeyIsOnePerson(t *testing.T) {
	o := newOffice(t)
	sana := signer(t, A, o.root[A], "sana", o.files)
	cert := o.files["keys/A-signer-sana.cert"]
	m, err := cose.Parse(cert)
	if err != nil {
		t.Fatal(err)
	}
	swap := func(payload []byte, old, new *ecdsa.PublicKey) []byte {
		for _, f := range []func(*ecdsa.PublicKey) []byte{
			func(k *ecdsa.PublicKey) []byte { id, _ := pass.IDOf(k); return id[:] },
			func(k *ecdsa.PublicKey) []byte {
				b, _ := pass.PublicBytes(k)
				return append([]byte{2 | b[64]&1}, b[1:33]...)
			},
		} {
			if !bytes.Contains(payload, f(old)) {
				t.Fatal("the certificate has another form")
			}
			payload = bytes.Replace(payload, f(old), f(new), 1)
		}
		return payload
	}
	id, err := pass.IDOf(&o.root[A].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	payload := swap(m.Payload, &sana.PublicKey, &o.root[A].PublicKey)
	if o.files["keys/A-signer-sana.cert"], err = cose.Sign1(o.root[A], cose.Header{Alg: cose.ES256, KeyID: id[:]}, payload, []byte("darwaza.dev/certificate/1")); err != nil {
		t.Fatal(err)
	}
	o.sign(A, o.root[A], signingDay())
	p, sig, err := Sign(o.edition(), A, o.root[A])
	if err != nil {
		t.Fatal(err)
	}
	o.files[p] = sig
	e := o.edition()
	if s := e.Signatories(A); len(s) != 2 || s[0].Fault != nil || s[1].Fault != nil {
		t.Fatalf("%+v", s)
	}
	if got := e.Persons(A); len(got) != 1 || !errors.Is(VerifySide(e, A), ErrOnePerson) {
		t.Errorf("one key under two names counts as %v", got)
	}
}

func TestSignerRefused(t *testing.T) {
	day := signingDay()
	o := newOffice(t)
	sana := signer(t, A, o.root[A], "sana", o.files)
	strange := signer(t, A, o.root[B], "tara", o.files) // certified by the root of the other side
	delete(o.files, "keys/A-signer-tara.cert")
	e := o.edition()
	for name, f := range map[string]func() error{
		"too early":        func() error { _, _, err := SignAs(e, A, sana, day.AddDate(0, 0, -2)); return err },
		"too late":         func() error { _, _, err := SignAs(e, A, sana, day.AddDate(0, 2, 0)); return err },
		"other side":       func() error { _, _, err := SignAs(e, B, sana, day); return err },
		"uncertified":      func() error { _, _, err := SignAs(e, A, strange, day); return err },
		"root as a person": func() error { _, _, err := SignAs(e, A, o.root[A], day); return err },
		"no key":           func() error { _, _, err := SignAs(e, A, nil, day); return err },
	} {
		if f() == nil {
			t.Errorf("%s: signs", name)
		}
	}
	o.sign(A, sana, day)
	good := o.files["signatures/A-1.sig"]
	sign := func(k *ecdsa.PrivateKey, id pass.KeyID, payload, external []byte) []byte {
		b, err := cose.Sign1(k, cose.Header{Alg: cose.ES256, KeyID: id[:]}, payload, external)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	id, err := pass.IDOf(&sana.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	payload := func(h Hash, at time.Time) []byte {
		return cose.AppendUint(cose.AppendBytes(cose.AppendArray(nil, 2), h[:]), uint64(at.Unix()))
	}
	e = o.edition()
	for name, sig := range map[string][]byte{
		"by another key":  sign(strange, id, payload(e.Hash, day), signerPurpose()),
		"other bytes":     sign(sana, id, payload(Hash{1}, day), signerPurpose()),
		"another purpose": sign(sana, id, payload(e.Hash, day), purpose()),
		"out of time":     sign(sana, id, payload(e.Hash, day.AddDate(0, 2, 0)), signerPurpose()),
		"no time":         sign(sana, id, e.Hash[:], signerPurpose()),
		"more":            sign(sana, id, append(payload(e.Hash, day), 0), signerPurpose()),
		"unknown key":     sign(strange, pass.KeyID{1}, payload(e.Hash, day), signerPurpose()),
		"cut":             good[:len(good)-1],
		"none":            {},
	} {
		e.Signers["A-1"] = sig
		if s := e.Signatories(A); len(s) != 1 || !errors.Is(s[0].Fault, ErrSignature) || len(e.Persons(A)) != 0 || !errors.Is(VerifySide(e, A), ErrSignature) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if e.Signers["A-1"] = good; e.Signatories(A)[0].Fault != nil {
		t.Error("the good one fails")
	}
	// A broken one beside two that hold is not passed over.
	omid := signer(t, A, o.root[A], "omid", o.files)
	o.sign(A, sana, day)
	o.sign(A, omid, day)
	o.files["signatures/A-5.sig"] = good
	if err := VerifySide(o.edition(), A); !errors.Is(err, ErrSignature) {
		t.Errorf("a broken third: %v", err)
	}
	delete(o.files, "signatures/A-5.sig")
	if err := VerifySide(o.edition(), A); err != nil {
		t.Error(err)
	}
	// The root takes a key back, in a package that is signed anew.
	root, err := pass.NewKey(pass.SideA, o.root[A])
	if err != nil {
		t.Fatal(err)
	}
	gone, err := pass.Revoke(root, id, day.AddDate(0, 0, 3))
	if err != nil {
		t.Fatal(err)
	}
	o.files["keys/A-revoked-sana.cert"] = gone
	if _, _, err := SignAs(o.edition(), A, sana, day); !errors.Is(err, ErrSignature) {
		t.Errorf("a key that was taken back signs: %v", err)
	}
}
