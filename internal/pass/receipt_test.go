// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

func testReceipt(side Side) Receipt {
	r := Receipt{
		Side: side, Edition: [8]byte{0xed, 1}, Number: "R-7ZK3M9QX2B4D", Site: 2, Day: 9376, Code: "07020000", Category: "vegetables",
		Quantity: 12_500, Unit: "kg", Value: 48_00, Currency: "USD", Regime: "concession", Duty: 2_40, DutyKnown: true,
		Clause: "P8(iii)", Officer: "K3M9QX2B", Salt: [16]byte{9, 8, 7}, IssuedAt: noon,
	}
	r.Holder = Holder(r.Salt, "Made Up", "42101-1234567-1")
	return r
}

func TestVerifyReceipt(t *testing.T) {
	a, b := newParty(SideA), newParty(SideB)
	trust := newTrust(a, b)
	r := testReceipt(SideA)
	good := must(SignReceipt(a.receipt, r))
	issued := func(at time.Time) string {
		r := testReceipt(SideA)
		r.IssuedAt = at
		return must(SignReceipt(a.receipt, r))
	}
	for _, tt := range []struct {
		name  string
		trust *Trust
		text  string
		want  Fault
	}{
		{"good", trust, good, ""},
		{"lower case and spaces", trust, " " + strings.ToLower(good) + "\n", ""},
		{"the other side's", trust, must(SignReceipt(b.receipt, testReceipt(SideB))), ""},
		{"by a pass key", trust, must(SignReceipt(a.pass, r)), ReceiptUntrusted},
		{"by the root", trust, must(SignReceipt(a.root, r)), ReceiptKeyUnknown},
		{"by nobody", trust, must(SignReceipt(testKey(SideA, "stranger"), r)), ReceiptKeyUnknown},
		{"before its key", trust, issued(day.Add(-time.Second)), ReceiptUntrusted},
		{"after its key", trust, issued(until), ReceiptUntrusted},
		{"key revoked later", must(trust.With(must(Revoke(a.root, a.receipt.ID(), until)))), good, ReceiptKeyRevoked},
		{"trailing byte", trust, ReceiptPrefix + cose.EncodeBase45(append(must(cose.DecodeBase45(good[4:])), 0)), ReceiptUnreadable},
		{"cut short", trust, good[:len(good)-3], ReceiptUnreadable},
		{"a pass", trust, must(Sign(a.pass, testClaims(SideA))), ReceiptForeign},
		{"a pass in a receipt's clothes", trust, "DR1:" + must(Sign(a.pass, testClaims(SideA)))[4:], ReceiptUnreadable},
		{"version to come", trust, "DR2:" + good[4:], ReceiptNewer},
		{"nothing", trust, "", ReceiptForeign},
		{"huge", trust, "DR1:" + strings.Repeat("0", 1<<20), ReceiptForeign},
	} {
		if _, fault := tt.trust.VerifyReceipt(tt.text); fault != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, fault, tt.want)
		}
	}
	if got, _ := trust.VerifyReceipt(good); got != r {
		t.Errorf("got %+v, want %+v", got, r)
	}
	msg := must(cose.DecodeBase45(good[4:]))
	for i := range msg {
		for bit := range 8 {
			msg[i] ^= 1 << bit
			if _, fault := trust.VerifyReceipt(ReceiptPrefix + cose.EncodeBase45(msg)); fault == "" {
				t.Errorf("byte %d bit %d altered: good", i, bit)
			}
			msg[i] ^= 1 << bit
		}
	}
}

func TestMadeOutTo(t *testing.T) {
	r := testReceipt(SideA)
	for _, tt := range []struct {
		name, number string
		want         bool
	}{
		{"Made Up", "42101-1234567-1", true},
		{" made  UP ", "4210112345671", true},
		{"Made Up", "۴۲۱۰۱-۱۲۳۴۵۶۷-۱", true},
		{"MadeUp", "42101-1234567-1", false},
		{"Made Up", "42101-1234567-2", false},
		{"Made Up4", "2101-1234567-1", false},
		{"", "", false},
	} {
		if got := r.MadeOutTo(tt.name, tt.number); got != tt.want {
			t.Errorf("%q, %q: got %v", tt.name, tt.number, got)
		}
	}
	other := r
	other.Salt[0]++
	if other.MadeOutTo("Made Up", "42101-1234567-1") {
		t.Error("the salt makes no difference")
	}
}

func TestSignReceiptRefuses(t *testing.T) {
	key := testKey(SideA, "receipt A")
	for name, change := range map[string]func(*Receipt){
		"other side":       func(r *Receipt) { r.Side = SideB },
		"no number":        func(r *Receipt) { r.Number = "" },
		"long number":      func(r *Receipt) { r.Number = strings.Repeat("9", 25) },
		"line end":         func(r *Receipt) { r.Unit = "kg\n" },
		"not UTF-8":        func(r *Receipt) { r.Unit = "\xff" },
		"no currency":      func(r *Receipt) { r.Currency = "" },
		"negative value":   func(r *Receipt) { r.Value = -1 },
		"unknown, yet due": func(r *Receipt) { r.DutyKnown = false },
		"part of a second": func(r *Receipt) { r.IssuedAt = r.IssuedAt.Add(1) },
		"no officer":       func(r *Receipt) { r.Officer = "" },
	} {
		r := testReceipt(SideA)
		change(&r)
		if text, err := SignReceipt(key, r); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
	if _, err := SignReceipt(nil, testReceipt(SideA)); err == nil {
		t.Error("no key signs")
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	key := testKey(SideA, "receipt A")
	rapid.Check(t, func(t *rapid.T) {
		r := Receipt{
			Side: SideA, Site: rapid.Uint16().Draw(t, "site"), Day: rapid.Uint16().Draw(t, "day"),
			Quantity: rapid.Int64Min(0).Draw(t, "quantity"), Value: rapid.Int64Min(0).Draw(t, "value"),
			DutyKnown: rapid.Bool().Draw(t, "known"), IssuedAt: time.Unix(int64(rapid.Uint32().Draw(t, "iat")), 0).UTC(),
		}
		if r.DutyKnown {
			r.Duty = rapid.Int64Min(0).Draw(t, "duty")
		}
		for _, f := range r.texts() {
			*f.text = rapid.StringOfN(rapid.RuneFrom(nil, unicode.Letter, unicode.Digit), f.min, -1, f.max).
				Filter(func(s string) bool { return len(s) >= f.min }).Draw(t, f.name)
		}
		copy(r.Salt[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "salt"))
		r.Holder = Holder(r.Salt, rapid.String().Draw(t, "name"), rapid.String().Draw(t, "number"))
		text, err := SignReceipt(key, r)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > MaxReceiptText {
			t.Fatalf("%d characters", len(text))
		}
		if got, err := ParseReceipt(text); err != nil || got != r {
			t.Fatalf("got %+v, %v, want %+v", got, err, r)
		}
	})
}

// TestLongestReceipt fills every field: the code must still fit the paper.
func TestLongestReceipt(t *testing.T) {
	r := testReceipt(SideA)
	for _, f := range r.texts() {
		*f.text = strings.Repeat("W", f.max)
	}
	r.Site, r.Day, r.Quantity, r.Value, r.Duty = 1<<16-1, 1<<16-1, 1<<63-1, 1<<63-1, 1<<63-1
	text := must(SignReceipt(testKey(SideA, "receipt A"), r))
	if len(text) > MaxReceiptText {
		t.Errorf("%d characters", len(text))
	}
}

func FuzzParseReceipt(f *testing.F) {
	a := newParty(SideA)
	good := must(SignReceipt(a.receipt, testReceipt(SideA)))
	unknown := testReceipt(SideA)
	unknown.Duty, unknown.DutyKnown = 0, false
	for _, s := range []string{good, strings.ToLower(good), must(SignReceipt(a.receipt, unknown)), good[:100], "DR1:", "DR2:0", "", must(Sign(a.pass, testClaims(SideA)))} {
		f.Add(s)
	}
	trust := newTrust(a)
	f.Fuzz(func(t *testing.T, text string) {
		r, m, fault := readReceipt(text)
		if _, verdict := trust.VerifyReceipt(text); fault != "" && verdict != fault {
			t.Fatalf("read says %q, verify %q", fault, verdict)
		}
		if fault != "" {
			return
		}
		if b, err := r.encode(nil); err != nil || string(b) != string(m.Payload) {
			t.Fatalf("a receipt has a second spelling: %x, %v, from %x", b, err, m.Payload)
		}
		r.MadeOutTo(text, text)
	})
}
