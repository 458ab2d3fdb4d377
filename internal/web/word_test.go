// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	word, err := NewWord(rand.Reader)
	if err != nil || !regexp.MustCompile(`^([2-9a-hjkmnp-z]{4}-){2}[2-9a-hjkmnp-z]{4}$`).MatchString(word) {
		t.Fatalf("%q, %v", word, err)
	}
	v, err := HashWord(rand.Reader, word)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(v, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(v, word) {
		t.Errorf("verifier %s", v)
	}
	if ok, err := VerifyWord(v, word); !ok || err != nil {
		t.Errorf("the word itself: %v, %v", ok, err)
	}
	for _, other := range []string{"", word + " ", strings.ToUpper(word), word[1:]} {
		if ok, err := VerifyWord(v, other); ok || err != nil {
			t.Errorf("%q: %v, %v", other, ok, err)
		}
	}
	if again, _ := HashWord(rand.Reader, word); again == v {
		t.Error("two verifiers of one word are the same")
	}
}

// The vector is one of the reference implementation's own tests (phc-winner-argon2, src/test.c).
func TestWordVector(t *testing.T) {
	const v = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := VerifyWord(v, "password"); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func FuzzWord(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$")
	f.Add("$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1a")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8")
	f.Add("$argon2id$v=19$m=+8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, s string) {
		m, passes, p, salt, key, err := parseWord(s)
		if err != nil {
			return
		}
		if m > maxWordMemory || passes > maxWordPasses || p > maxWordLanes || m == 0 || passes == 0 || p == 0 {
			t.Errorf("believed m=%d t=%d p=%d", m, passes, p)
		}
		if got := formatWord(m, passes, p, salt, key); len(got) > len(s) {
			t.Errorf("%q is written as %q", s, got)
		}
	})
}
