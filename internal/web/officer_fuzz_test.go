// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/hmac"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/identity"
)

// FuzzSessionCookie reads cookies that anybody can make up: none of them is a session.
func FuzzSessionCookie(f *testing.F) {
	m, err := newSessions([]byte(strings.Repeat("k", 32)), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	other, err := newSessions([]byte(strings.Repeat("o", 32)), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_756_800_000, 0)
	f.Add("")
	f.Add("AQ")
	f.Add(other.issue("o-0123456789", "verifier", now))
	f.Add(strings.Repeat("A", 300))
	f.Fuzz(func(t *testing.T, value string) {
		id, _, head, mac, ok := m.parse(value)
		if ok && hmac.Equal(mac, m.sessionMAC(head, "verifier")) {
			t.Errorf("%q is a session of %q", value, id)
		}
		if m.knows("login", value) {
			t.Errorf("%q is a known device", value)
		}
	})
}

// FuzzTyped reads what an officer may key or a scanner may send into the fields for
// quantities, temperatures and documents.
func FuzzTyped(f *testing.F) {
	for _, s := range []string{"", "2.5", "۲٫۵", "36,7 °C", "-1", "9999999999", ".", "1e9", "35202-1234567-1", "A12345678",
		"P<IRNAHMADI<<FATEMEH<<<<<<<<<<<<<<<<<<<<<<<<A12345678<7IRN8001014F3001012<<<<<<<<<<<<<<00", "<<", "\x00", "٪"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := parseThousandths(s); ok {
			if n < 0 || n > 1e12 {
				t.Errorf("parseThousandths(%q) = %d", s, n)
			}
			if again, ok := parseThousandths(formatThousandths(n)); !ok || again != n {
				t.Errorf("%q is %d, written %q, read %d", s, n, formatThousandths(n), again)
			}
		}
		if n, ok := parseTenths(s); ok && (n < 0 || n > 1<<16) {
			t.Errorf("parseTenths(%q) = %d", s, n)
		}
		for _, d := range documents(s, []string{"PAK", "IRN"}) {
			if again, err := identity.ParseDocument(string(d.Kind), d.Country, d.Number); err != nil || again.Key() != d.Key() {
				t.Errorf("%q gives %s, which reads as %s, %v", s, d.Key(), again.Key(), err)
			}
		}
		if p := ownPath(s); p != "" && (p[0] != '/' || len(p) > 1 && (p[1] == '/' || p[1] == '\\')) {
			t.Errorf("ownPath(%q) = %q", s, p)
		}
	})
}
