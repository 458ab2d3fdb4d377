// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
)

func nth(kind proof.HashKind, n int) proof.Hash {
	return proof.NewHash(kind, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// TestFilterMillion: a million entries in 4 MB, none missed, and others no more often than
// stated: of a million 15.3 are to be expected, and 40 would be by chance once in 10^7.
func TestFilterMillion(t *testing.T) {
	const n = 1_000_000
	hashes := make([]proof.Hash, n)
	for i := range hashes {
		hashes[i] = nth(proof.HashUVCI, i)
	}
	f := must(NewFilter(hashes))
	b := f.Bytes()
	if len(b) > 4<<20 || f.Len() != n {
		t.Errorf("%d bytes for %d entries", len(b), f.Len())
	}
	again := must(ParseFilter(b))
	false1, false2 := 0, 0
	for i := range n {
		if !again.Has(hashes[i]) {
			t.Fatalf("%d is missed", i)
		}
		if again.Has(nth(proof.HashUVCI, n+i)) {
			false1++
		}
		if again.Has(nth(proof.HashSignature, i)) {
			false2++
		}
	}
	t.Logf("%d bytes; of a million others %d and %d, expected %.1f", len(b), false1, false2, FalsePositives)
	if false1 > 40 || false2 > 40 {
		t.Errorf("of a million others %d and %d, stated %.1f", false1, false2, FalsePositives)
	}
}

func TestFilterBytes(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 10, 1000} {
		var hashes []proof.Hash
		for i := range n {
			hashes = append(hashes, nth(proof.HashSignature, i), nth(proof.HashSignature, i))
		}
		f := must(NewFilter(hashes))
		b := f.Bytes()
		again, err := ParseFilter(b)
		if err != nil || again.Len() != n || !bytes.Equal(again.Bytes(), b) || !bytes.Equal(must(NewFilter(hashes)).Bytes(), b) {
			t.Fatalf("%d: %v", n, err)
		}
		for _, h := range hashes {
			if !again.Has(h) {
				t.Errorf("%d: one is missed", n)
			}
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(bytes.Clone(b), 0), append([]byte("X"), b[1:]...)} {
			if _, err := ParseFilter(bad); !errors.Is(err, ErrFilter) {
				t.Errorf("%d: %d bytes are read: %v", n, len(bad), err)
			}
		}
	}
}

// FuzzParseFilter: no filter reaches outside itself, whatever is asked of it.
func FuzzParseFilter(f *testing.F) {
	f.Add(must(NewFilter([]proof.Hash{nth(proof.HashUVCI, 1), nth(proof.HashUVCI, 2)})).Bytes(), []byte{1})
	f.Add(must(NewFilter(nil)).Bytes(), []byte{1})
	f.Fuzz(func(t *testing.T, b, ask []byte) {
		if x, err := ParseFilter(b); err == nil {
			x.Has(proof.NewHash(proof.HashUVCI, ask))
			if !bytes.Equal(x.Bytes(), b) {
				t.Fatal("written differently")
			}
		}
	})
}

// TestStanding: what a filter has refuses nobody until it is confirmed.
func TestStanding(t *testing.T) {
	in, out := nth(proof.HashUVCI, 1), nth(proof.HashUVCI, 2)
	filter := must(NewFilter([]proof.Hash{in, out})) // it has one that is revoked no longer, as it might by chance
	entries := NewEntries([]proof.Hash{in, nth(proof.HashSignature, 2)})
	unknown := func(proof.Hash) (bool, bool) { return false, false }
	limits := Limits{TooOld: time.Hour}
	for name, c := range map[string]struct {
		r    *Revoked
		hash proof.Hash
		want proof.Standing
	}{
		"confirmed":                   {NewRevoked(filter, entries.Has, now, limits), in, proof.IsRevoked},
		"a false positive":            {NewRevoked(filter, entries.Has, now, limits), out, proof.NotRevoked},
		"of another kind":             {NewRevoked(filter, entries.Has, now, limits), nth(proof.HashSignature, 1), proof.NotRevoked},
		"nobody to ask":               {NewRevoked(filter, nil, now, limits), in, proof.Unconfirmed},
		"nobody to ask, and not in":   {NewRevoked(filter, nil, now, limits), nth(proof.HashUVCI, 3), proof.NotRevoked},
		"no answer":                   {NewRevoked(filter, unknown, now, limits), in, proof.Unconfirmed},
		"no filter":                   {NewRevoked(nil, entries.Has, now, limits), in, proof.IsRevoked},
		"nothing":                     {NewRevoked(nil, nil, now, limits), in, proof.NoList},
		"too old, and in":             {NewRevoked(filter, entries.Has, now.Add(-2*time.Hour), limits), in, proof.IsRevoked},
		"too old, and not in":         {NewRevoked(filter, entries.Has, now.Add(-2*time.Hour), limits), nth(proof.HashUVCI, 3), proof.NoList},
		"the signature of the second": {NewRevoked(nil, entries.Has, now, limits), nth(proof.HashSignature, 2), proof.IsRevoked},
	} {
		q := proof.RevocationQuery{Format: proof.DCC, Hashes: []proof.Hash{nth(proof.HashCountryUCI, 9), c.hash}, At: now}
		if got := c.r.Standing(q); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestConfirm: entries clear what a filter has by chance where it was made of just them,
// and not where it was made of more; what they hold is revoked in any case.
func TestConfirm(t *testing.T) {
	var hashes []proof.Hash
	for i := range 1000 {
		hashes = append(hashes, nth(proof.HashUVCI, i))
	}
	filter := must(NewFilter(hashes))
	chance := proof.Hash{}
	for i := 1000; ; i++ {
		if chance = nth(proof.HashUVCI, i); filter.Has(chance) {
			break
		}
	}
	other := nth(proof.HashSignature, 5)
	standing := func(e *Entries, h proof.Hash) proof.Standing {
		return NewRevoked(filter, must(e.Confirm(filter)), now, Limits{}).Standing(proof.RevocationQuery{Hashes: []proof.Hash{h}, At: now})
	}
	for name, c := range map[string]struct {
		entries      []proof.Hash
		in, byChance proof.Standing
	}{
		"just those": {hashes, proof.IsRevoked, proof.NotRevoked},
		"one twice":  {append(slices.Clone(hashes), hashes[3]), proof.IsRevoked, proof.NotRevoked},
		"one less":   {hashes[:999], proof.IsRevoked, proof.Unconfirmed},
		"one other":  {append(slices.Clone(hashes[:999]), other), proof.IsRevoked, proof.Unconfirmed},
		"one more":   {append(slices.Clone(hashes), other), proof.IsRevoked, proof.Unconfirmed},
		"none":       {nil, proof.Unconfirmed, proof.Unconfirmed},
	} {
		e := NewEntries(c.entries)
		if got := standing(e, hashes[7]); got != c.in {
			t.Errorf("%s: an entry is %d, want %d", name, got, c.in)
		}
		if got := standing(e, chance); got != c.byChance {
			t.Errorf("%s: what is in by chance is %d, want %d", name, got, c.byChance)
		}
		if got := standing(e, nth(proof.HashUVCI, 1<<30)); got != proof.NotRevoked {
			t.Errorf("%s: what is not in is %d", name, got)
		}
	}
}

func TestReadBatch(t *testing.T) {
	h := nth(proof.HashUVCI, 5)
	entry := func(kind string, sum []byte) string {
		return fmt.Sprintf(`{"country":"AT","kid":"UNKNOWN_KID","hashType":%q,"entries":[{"hash":%q}]}`, kind, b64(sum))
	}
	for _, text := range []string{entry("UCI", h.Sum[:]), "[" + entry("SIGNATURE", make([]byte, 32)) + "," + entry("UCI", append(h.Sum[:], 1, 2)) + "]"} {
		hs, err := ReadBatch([]byte(text))
		if err != nil || hs[len(hs)-1] != h || !IsBatch([]byte(text)) {
			t.Errorf("%s: %v, %v", text, hs, err)
		}
	}
	for _, bad := range []string{"", "[1]", "{}", entry("OTHER", h.Sum[:]), entry("UCI", h.Sum[:15]), `{"hashType":"UCI","entries":[{"hash":"?"}]}`} {
		if _, err := ReadBatch([]byte(bad)); !errors.Is(err, ErrBatch) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestSigned: a list of two sides counts where both have signed its very bytes.
func TestSigned(t *testing.T) {
	a, b := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c, gone := newCertificate("AT", nil, nil), []byte("gone5678")
	mine := NewList("ours", now)
	mine.AddCertificate(nil, "", c.cert)
	other := must(Compose(8, now, mine))
	mine.Withdraw(gone, "")
	body := must(Compose(7, now, mine))
	sa, sb := must(Sign(a, body)), must(Sign(b, body))
	open := BySides(&a.PublicKey, &b.PublicKey)
	l, err := Open("sides", must(Bind(body, sa, sb)), open)
	if err != nil || l.Len() != 1 || !l.At.Equal(now) || l.Number != 7 || !IsSigned(must(Bind(body, sa, sb))) {
		t.Fatalf("both: %v", err)
	}
	if ks, _ := ask(NewStore(Limits{}, l), c.cert.KeyID()); len(ks) != 1 || ks[0].Country != "AUT" || ks[0].Withdrawn {
		t.Errorf("%d keys", len(ks))
	}
	l2 := NewList("other", now)
	l2.AddKey(gone, proof.Key{Public: &a.PublicKey, Country: "DEU"})
	if ks, _ := ask(NewStore(Limits{}, l2, l), gone); len(ks) != 1 || !ks[0].Withdrawn {
		t.Error("what both sides take back stays")
	}
	for name, file := range map[string][]byte{
		"nobody":          must(Bind(body)),
		"one":             must(Bind(body, sa)),
		"one, twice":      must(Bind(body, sa, sa)),
		"another list":    must(Bind(other, sa, sb)),
		"one of another":  must(Bind(body, sa, must(Sign(b, other)))),
		"by a third":      must(Bind(body, sa, must(Sign(c.key, body)))),
		"of another form": bytes.Replace(must(Bind(body, sa, sb)), []byte(signedForm), []byte("trust-list/2"), 1),
		"no JSON":         []byte("{"),
		"no list":         must(Bind([]byte("[]"), must(Sign(a, []byte("[]"))), must(Sign(b, []byte("[]"))))),
	} {
		if _, err := Open(name, file, open); !errors.Is(err, ErrSigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCompose: a list of two sides says of each key what the lists said from which it was
// made: its id and country, what it may sign, an authority as one, and what is taken back.
func TestCompose(t *testing.T) {
	signer, authority := newCertificate("AT", nil, nil), newCertificate("DE", nil, nil)
	bare := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	one, two := NewList("one", now), NewList("two", now)
	one.AddCertificate([]byte("own-name"), "XCL", signer.cert)
	one.AddCertificate([]byte("odd-land"), "ODDLAND", signer.cert)
	one.addAuthority(nil, "", must(ParseCertificate(authority.cert.DER)))
	two.AddKey([]byte("bare-key"), proof.Key{Public: &bare.PublicKey, Country: "FRA", Usage: proof.UsageTest | proof.UsageRecovery})
	two.AddCertificate([]byte("own-name"), "XCL", signer.cert) // once more
	two.Withdraw([]byte("bare-key"), "ODDLAND")
	body := must(Compose(3, now, one, two))
	if !bytes.Equal(body, must(Compose(3, now, two, one))) {
		t.Error("the order of the lists is in the bytes")
	}
	l, err := ReadList("again", body)
	if err != nil || l.Number != 3 || l.Len() != 3 || l.Authorities() != 1 || len(l.Rejected) != 0 {
		t.Fatalf("%v: %d keys, %d authorities, rejected %v", err, l.Len(), l.Authorities(), l.Rejected)
	}
	if got := l.Countries(); len(got) != 4 || got["XCL"] != 1 || got["ODDLAND"] != 1 || got["DEU"] != 1 || got["FRA"] != 1 {
		t.Errorf("countries %v", got)
	}
	store := NewStore(Limits{}, l)
	for id, country := range map[string]string{"own-name": "XCL", "odd-land": "ODDLAND", "bare-key": "FRA"} {
		if ks, _ := ask(store, []byte(id)); len(ks) != 1 || ks[0].Country != country || ks[0].Withdrawn {
			t.Errorf("%s: %+v", id, ks)
		}
	}
	if ks, _ := ask(store, []byte("bare-key")); ks[0].Usage != proof.UsageTest|proof.UsageRecovery {
		t.Errorf("usage %v", ks[0].Usage)
	}
	if ks, _ := ask(store, authority.cert.KeyID()); len(ks) != 0 {
		t.Error("an authority signs certificates of persons")
	}
	for id, countries := range l.Withdrawn() {
		if string(id) != "bare-key" || !slices.Equal(countries, []string{"ODDLAND"}) {
			t.Errorf("withdrawn %s of %v", id, countries)
		}
	}
}
