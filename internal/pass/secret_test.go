// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"crypto/ecdh"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

func x25519(word string) *ecdh.PrivateKey {
	var b [32]byte
	must(seed(word).Read(b[:]))
	return must(ecdh.X25519().NewPrivateKey(b[:]))
}

func testSecrets(t *testing.T) Secrets {
	t.Helper()
	s, err := DeriveSecrets(x25519("a"), x25519("b").PublicKey().Bytes(), "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSecretsSymmetric wants both sides to make the same of any document.
func TestSecretsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringN(1, 8, -1)
		wa, wb := word.Draw(t, "a"), word.Draw(t, "b")
		if wa == wb {
			t.Skip()
		}
		a, b := x25519(wa), x25519(wb)
		agreement := word.Draw(t, "agreement")
		sa, err1 := DeriveSecrets(a, b.PublicKey().Bytes(), agreement)
		sb, err2 := DeriveSecrets(b, a.PublicKey().Bytes(), agreement)
		if err1 != nil || err2 != nil || sa != sb {
			t.Fatalf("%v, %v, same: %v", err1, err2, sa == sb)
		}
		other := must(DeriveSecrets(a, b.PublicKey().Bytes(), agreement+"'"))
		doc, day := word.Draw(t, "document"), rapid.Uint16Max(1<<16-2).Draw(t, "day")
		id := ID(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
		id2 := id
		id2[0]++
		// Nothing made of one thing can be told to belong to what is made of another.
		seen := map[[16]byte]string{}
		for what, v := range map[string][16]byte{
			"binding": sa.Bind(id, doc), "binding of another pass": sa.Bind(id2, doc), "binding of another document": sa.Bind(id, doc+"1"),
			"tag": sa.Tag(day, doc), "tag of the next day": sa.Tag(day+1, doc), "tag of another document": sa.Tag(day, doc+"1"),
			"register": sa.Register(doc), "register of another document": sa.Register(doc + "1"),
			"binding elsewhere": other.Bind(id, doc), "tag elsewhere": other.Tag(day, doc), "register elsewhere": other.Register(doc),
		} {
			if had, ok := seen[v]; ok {
				t.Fatalf("%s is %s", what, had)
			}
			seen[v] = what
		}
		if sa.Bind(id, doc) != sb.Bind(id, doc) || sa.Tag(day, doc) != sb.Tag(day, doc) || sa.Register(doc) != sb.Register(doc) {
			t.Fatal("the sides differ")
		}
	})
}

// TestSecretsPinned holds the derivation: both sides must work it out in the same way
// for as long as passes and registers made with it are in use.
func TestSecretsPinned(t *testing.T) {
	s := testSecrets(t)
	id := ID{1, 2, 3, 4, 5, 6, 7, 8}
	for name, tt := range map[string]struct {
		got  [16]byte
		want string
	}{
		"binding":  {s.Bind(id, "cnic:PAK:4210112345671"), "7f2de60800152f979542ee7ae4b47225"},
		"tag":      {s.Tag(9376, "cnic:PAK:4210112345671"), "f6b483ef8173a8b939936d54f45abdb1"},
		"register": {s.Register("cnic:PAK:4210112345671"), "0e2b8572724dfa2fbaa3250b0b71ec14"},
	} {
		if got := hex.EncodeToString(tt.got[:]); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestSecretsRefuse(t *testing.T) {
	a, b := x25519("a"), x25519("b").PublicKey().Bytes()
	p256 := must(ecdh.P256().NewPrivateKey(append(make([]byte, 31), 1)))
	for name, f := range map[string]func() (Secrets, error){
		"no key":           func() (Secrets, error) { return DeriveSecrets(nil, b, "x") },
		"another curve":    func() (Secrets, error) { return DeriveSecrets(p256, b, "x") },
		"short key":        func() (Secrets, error) { return DeriveSecrets(a, b[:31], "x") },
		"small order":      func() (Secrets, error) { return DeriveSecrets(a, make([]byte, 32), "x") },
		"one's own key":    func() (Secrets, error) { return DeriveSecrets(a, a.PublicKey().Bytes(), "x") },
		"no agreement":     func() (Secrets, error) { return DeriveSecrets(a, b, "") },
		"small order, one": func() (Secrets, error) { return DeriveSecrets(a, append([]byte{1}, make([]byte, 31)...), "x") },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: derived", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero value binds")
		}
	}()
	Secrets{}.Bind(ID{}, "x")
}
