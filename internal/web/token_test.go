// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
)

func TestBuyerToken(t *testing.T) {
	k, err := newTokens([]byte(strings.Repeat("k", 32)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_756_800_000, 0)
	want := buyer{Pass: [8]byte{1}, Tag: [16]byte{2}, Day: 9376, Kind: "passport", Name: "Fatemeh", Number: "A12345678", Until: now.Unix() + 60}
	text, err := k.seal(want)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "Fatemeh") || strings.ContainsAny(text, "/?#&=+") {
		t.Errorf("token %s", text)
	}
	if got, ok := k.open(text, now); !ok || got != want {
		t.Errorf("%+v, %v", got, ok)
	}
	if _, ok := k.open(text, now.Add(time.Minute)); ok {
		t.Error("good after its end")
	}
	for i := range text {
		c := "A"
		if text[i] == 'A' {
			c = "B"
		}
		if got, ok := k.open(text[:i]+c+text[i+1:], now); ok && got != want {
			t.Fatalf("altered at %d: %+v", i, got)
		}
	}
	other, err := newTokens([]byte(strings.Repeat("o", 32)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := other.open(text, now); ok {
		t.Error("another key opens it")
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 2000), "!!!"} {
		if _, ok := k.open(bad, now); ok {
			t.Errorf("%q opens", bad)
		}
	}
}

func TestQuantity(t *testing.T) {
	for text, want := range map[string]int64{"2": 2000, "2.5": 2500, "0.125": 125, ".5": 500, "۲٫۵": 2500, "2,5": 2500, " 3 ": 3000, "100000000": 100000000000} {
		if got, ok := parseThousandths(text); !ok || got != want {
			t.Errorf("parseThousandths(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", ".", "-1", "1.2345", "1e3", "two", "1 2", "9999999999", "+1"} {
		if got, ok := parseThousandths(bad); ok && bad != "+1" || ok && got < 0 {
			t.Errorf("parseThousandths(%q) = %d", bad, got)
		}
	}
	for n, want := range map[int64]string{2000: "2", 2500: "2.5", 125: "0.125", 10: "0.01", 0: "0"} {
		if got := formatThousandths(n); got != want {
			t.Errorf("formatThousandths(%d) = %s, want %s", n, got, want)
		}
	}
}
