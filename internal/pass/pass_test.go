// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package pass

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
)

func TestVerify(t *testing.T) {
	a, b := newParty(SideA), newParty(SideB)
	trust := newTrust(a, b)
	good := must(Sign(a.pass, testClaims(SideA)))
	forge := func(key *Key, c Claims) string { // signs whatever it says
		id := key.id
		msg := must(cose.Sign1(key.priv, cose.Header{Alg: cose.ES256, KeyID: id[:]}, must(c.encode(nil)), nil))
		return Prefix + cose.EncodeBase45(msg)
	}
	revoked := must(trust.With(must(Revoke(a.root, a.pass.ID(), noon))))
	onlyB := newTrust(b)
	c := testClaims(SideA)
	for _, tt := range []struct {
		name  string
		trust *Trust
		text  string
		now   time.Time
		want  Fault
	}{
		{"good", trust, good, noon, ""},
		{"the other side's", trust, must(Sign(b.pass, testClaims(SideB))), noon, ""},
		{"spaces and line ends", trust, " \t" + good + "\r\n ", noon, ""},
		{"lower case", trust, strings.ToLower(good), noon, ""},
		{"first second", trust, good, c.NotBefore, ""},
		{"second before", trust, good, c.NotBefore.Add(-time.Second), Early},
		{"last second", trust, good, c.Expires.Add(-time.Second), ""},
		{"second after", trust, good, c.Expires, Expired},
		{"key not yet", trust, good, day.Add(-time.Second), KeyEarly},
		{"key no longer", trust, good, until, KeyExpired},
		{"key revoked", revoked, good, noon, KeyRevoked},
		{"key nobody knows", trust, must(Sign(testKey(SideA, "stranger"), c)), noon, KeyUnknown},
		{"side nobody knows", onlyB, good, noon, KeyUnknown},
		{"the root itself", trust, must(Sign(a.root, c)), noon, KeyUnknown},
		{"a key of the side for receipts", trust, must(Sign(a.receipt, c)), noon, Forged},
		{"right key, other side claimed", trust, forge(a.pass, testClaims(SideB)), noon, Forged},
		{"trailing byte", trust, Prefix + cose.EncodeBase45(append(must(cose.DecodeBase45(good[4:])), 0)), noon, Unreadable},
		{"trailing letters", trust, good + "000", noon, Unreadable},
		{"cut short", trust, good[:len(good)-3], noon, Unreadable},
		{"prefix alone", trust, "DW1:", noon, Unreadable},
		{"a letter that is not Base45", trust, good[:20] + "_" + good[21:], noon, Unreadable},
		{"a letter whose upper case is Base45", trust, strings.Replace(good, "I", "ı", 1), noon, Unreadable},
		{"version to come", trust, "DW2:" + good[4:], noon, Newer},
		{"version that never was", trust, "DW0:" + good[4:], noon, Foreign},
		{"nothing", trust, "", noon, Foreign},
		{"health certificate", trust, "HC1:NCFOXN%TS3DH3ZSUZK+.V0ETD%65NL-AH-R6IOOK.IR9B+9D*ST", noon, Foreign},
		{"address", trust, "https://example.org/?DW1:" + good[4:], noon, Foreign},
		{"travel document", trust, "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", noon, Foreign},
		{"receipt", trust, "DR1:" + good[4:], noon, Foreign},
		{"huge", trust, "DW1:" + strings.Repeat("0", 1<<20), noon, Foreign},
	} {
		claims, fault := tt.trust.Verify(tt.text, tt.now)
		if fault != tt.want {
			t.Errorf("%s: got fault %q, want %q", tt.name, fault, tt.want)
		}
		if Genuine(fault) && claims.ID != c.ID {
			t.Errorf("%s: genuine, with claims %+v", tt.name, claims)
		}
	}
	if got, _ := trust.Verify(good, noon); got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	// What cannot be believed still tells the booking to look for.
	if u, err := Parse(must(Sign(testKey(SideA, "stranger"), c))); err != nil || u.ID() != c.ID || u.KeyID() == a.pass.ID() {
		t.Errorf("got %v, %v", u, err)
	}
}

// TestExpiredForgery wants a made-up pass that is also out of date to be called made
// up: its claims must not be recorded as if the pass had once been good.
func TestExpiredForgery(t *testing.T) {
	a := newParty(SideA)
	trust := newTrust(a)
	msg := must(cose.DecodeBase45(must(Sign(a.pass, testClaims(SideA)))[4:]))
	msg[len(msg)-1] ^= 1
	if _, fault := trust.Verify(Prefix+cose.EncodeBase45(msg), until.Add(-time.Second)); fault != Forged {
		t.Errorf("got %q, want %q", fault, Forged)
	}
}

// TestAltered changes every bit of a pass.
func TestAltered(t *testing.T) {
	a := newParty(SideA)
	trust := newTrust(a)
	text := must(Sign(a.pass, testClaims(SideA)))
	msg := must(cose.DecodeBase45(text[4:]))
	for i := range msg {
		for bit := range 8 {
			msg[i] ^= 1 << bit
			if _, fault := trust.Verify(Prefix+cose.EncodeBase45(msg), noon); Genuine(fault) {
				t.Errorf("byte %d bit %d: %q", i, bit, fault)
			}
			msg[i] ^= 1 << bit
		}
	}
	for i := range text[:20] {
		if _, fault := trust.Verify(text[:i]+"9"+text[i+1:], noon); Genuine(fault) && text[i] != '9' {
			t.Errorf("letter %d: %q", i, fault)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	key := testKey(SideA, "pass A")
	for name, change := range map[string]func(*Claims){
		"side":             func(c *Claims) { c.Side = SideB },
		"no side":          func(c *Claims) { c.Side = 0 },
		"ends before":      func(c *Claims) { c.Expires = c.NotBefore },
		"part of a second": func(c *Claims) { c.NotBefore = c.NotBefore.Add(1) },
		"before 1970":      func(c *Claims) { c.IssuedAt = at("1969-12-31T23:59:59Z") },
		"after 2106":       func(c *Claims) { c.Expires = at("2107-01-01T00:00:00Z") },
		"no time":          func(c *Claims) { c.IssuedAt = time.Time{} },
	} {
		c := testClaims(SideA)
		change(&c)
		if text, err := Sign(key, c); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
	if _, err := Sign(nil, testClaims(SideA)); problem.KindOf(err) != problem.Invalid {
		t.Errorf("no key: %v", err)
	}
}

func genClaims(t *rapid.T) Claims {
	second := func(name string, from uint64) uint64 { return rapid.Uint64Range(from, 1<<32-1).Draw(t, name) }
	utc := func(s uint64) time.Time { return time.Unix(int64(s), 0).UTC() }
	nbf := rapid.Uint64Range(0, 1<<32-2).Draw(t, "nbf")
	c := Claims{
		Side: rapid.SampledFrom([]Side{SideA, SideB}).Draw(t, "side"),
		Site: rapid.Uint16().Draw(t, "site"), Slot: rapid.Uint64().Draw(t, "slot"), Class: rapid.Uint8().Draw(t, "class"),
		Place: rapid.Uint32().Draw(t, "place"), Generation: rapid.Uint8().Draw(t, "generation"),
		Gate: rapid.Uint16().Draw(t, "gate"), Children: rapid.Uint8().Draw(t, "children"),
		NotBefore: utc(nbf), Expires: utc(second("exp", nbf+1)), IssuedAt: utc(second("iat", 0)),
	}
	fill := func(dst []byte, name string) {
		copy(dst, rapid.SliceOfN(rapid.Byte(), len(dst), len(dst)).Draw(t, name))
	}
	fill(c.ID[:], "id")
	fill(c.Edition[:], "edition")
	fill(c.Binding[:], "binding")
	return c
}

// TestRoundTrip signs whatever claims there may be: what is read is what was signed,
// it fits the QR code, and the same claims are the same text.
func TestRoundTrip(t *testing.T) {
	keys := map[Side]*Key{SideA: testKey(SideA, "a"), SideB: testKey(SideB, "b")}
	rapid.Check(t, func(t *rapid.T) {
		c := genClaims(t)
		text, err := Sign(keys[c.Side], c)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > MaxText {
			t.Fatalf("%d characters", len(text))
		}
		if again := must(Sign(keys[c.Side], c)); again != text {
			t.Fatalf("signed twice: %s and %s", text, again)
		}
		u, err := Parse(text)
		if err != nil || u.claims != c || u.KeyID() != keys[c.Side].ID() {
			t.Fatalf("got %+v, %v, want %+v", u.claims, err, c)
		}
	})
}

// vector is one line of testdata/vectors.json. The keys were made for it.
type vector struct {
	What   string          `json:"what"`
	Key    string          `json:"key"`    // PKCS #8
	Public string          `json:"public"` // uncompressed point, hex
	KeyID  string          `json:"key_id"`
	Claims json.RawMessage `json:"claims"`
	Text   string          `json:"text"`
}

// TestVectors pins the format: a change of any byte is a new version of it.
func TestVectors(t *testing.T) {
	var vs []vector
	if err := json.Unmarshal(must(os.ReadFile("testdata/vectors.json")), &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) < 3 {
		t.Fatalf("%d vectors", len(vs))
	}
	for _, v := range vs {
		var side struct{ Side Side }
		if err := json.Unmarshal(v.Claims, &side); err != nil {
			t.Fatal(err)
		}
		key, err := ParseKey(side.Side, []byte(v.Key))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", must(PublicBytes(key.Public()))); got != v.Public || key.ID().String() != v.KeyID {
			t.Errorf("%s: got key %s %s, want %s %s", v.What, key.ID(), got, v.KeyID, v.Public)
		}
		var text string
		if strings.HasPrefix(v.Text, ReceiptPrefix) {
			var r Receipt
			if err := json.Unmarshal(v.Claims, &r); err != nil {
				t.Fatal(err)
			}
			text = must(SignReceipt(key, r))
			if got, err := ParseReceipt(v.Text); err != nil || got != r {
				t.Errorf("%s: got %+v, %v, want %+v", v.What, got, err, r)
			}
		} else {
			var c Claims
			if err := json.Unmarshal(v.Claims, &c); err != nil {
				t.Fatal(err)
			}
			text = must(Sign(key, c))
			if got, err := Parse(v.Text); err != nil || got.claims != c {
				t.Errorf("%s: got %+v, %v, want %+v", v.What, got, err, c)
			}
		}
		if text != v.Text {
			t.Errorf("%s:\ngot  %s\nwant %s", v.What, text, v.Text)
		}
	}
}

func TestRecognise(t *testing.T) {
	mrz := "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\r\n"
	for text, want := range map[string]Kind{
		"DW1:ABC": Pass, " dw9:abc": Pass, "DR1:ABC": Paper, "DW:": Unknown, "DWX:": Unknown,
		"HC1:6BF": HealthCertificate, "shc:/567": SmartHealthCard, "SHC:/567": SmartHealthCard,
		"https://example.org": URL, "HTTP://EXAMPLE.ORG": URL, mrz: MRZ, mrz[:80]: Unknown, "": Unknown, "0000": Unknown,
	} {
		if got := Recognise(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := Kind(99).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
}

func TestID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
		s := id.String()
		typed := strings.NewReplacer("0", "o", "1", "L").Replace(s)
		typed = strings.ToLower(typed[:5]) + "-" + typed[5:9] + " " + typed[9:]
		var back ID
		if err := back.UnmarshalText([]byte(typed)); err != nil || back != id || len(s) != 13 {
			t.Fatalf("%q as %q: got %v, %v", s, typed, back, err)
		}
	})
	for _, s := range []string{"", "0", "0123456789ABC0", "G000000000000", "000000000000U", "000000000000", strings.Repeat("-", 41)} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q: got %v", s, id)
		}
	}
}

func TestSide(t *testing.T) {
	for _, s := range []Side{SideA, SideB} {
		var back Side
		if err := back.UnmarshalText(must(s.MarshalText())); err != nil || back != s || s.Other().Other() != s || s.Other() == s {
			t.Errorf("%s: got %s, %v", s, back, err)
		}
	}
	for _, s := range []string{"", "C", "a", "AB"} {
		if _, err := ParseSide(s); err == nil {
			t.Errorf("%q is a side", s)
		}
	}
	if _, err := Side('C').MarshalText(); err == nil || Side('C').Other() != 'C' || Side(0).String() != "?" {
		t.Error("a third side")
	}
}

func FuzzParse(f *testing.F) {
	a := newParty(SideA)
	good := must(Sign(a.pass, testClaims(SideA)))
	for _, s := range []string{good, strings.ToLower(good), good[:100], "DW1:", "DW2:0", "HC1:6BF", "", "https://example.org/", "DW1: 000"} {
		f.Add(s)
	}
	trust := newTrust(a)
	f.Fuzz(func(t *testing.T, text string) {
		Recognise(text)
		if id, err := ParseID(text); err == nil && must(ParseID(id.String())) != id {
			t.Error("the id does not come back")
		}
		claims, fault := trust.Verify(text, noon)
		u, err := Parse(text)
		if (err == nil) != (fault != Foreign && fault != Unreadable && fault != Newer) {
			t.Fatalf("parse says %v, verify %q", err, fault)
		}
		if err != nil {
			return
		}
		if claims != u.claims || u.claims.Side == 0 {
			t.Fatalf("parse reads %+v, verify %+v", u.claims, claims)
		}
		if b, err := claims.encode(nil); err != nil || string(b) != string(u.msg.Payload) {
			t.Fatalf("claims have a second spelling: %x, %v, from %x", b, err, u.msg.Payload)
		}
	})
}
