// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package fact

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sold is a fact as this build knows it; soldLater is the same as the next one does.
type sold struct {
	Ref    string            `cbor:"1,keyasint"`
	Places int64             `cbor:"2,keyasint"`
	At     time.Time         `cbor:"3,keyasint"`
	Tag    [16]byte          `cbor:"4,keyasint"`
	Lines  []line            `cbor:"5,keyasint,omitempty"`
	Notes  map[string]string `cbor:"6,keyasint,omitempty"`
}

type line struct {
	Code string `cbor:"1,keyasint"`
	Big  []byte `cbor:"2,keyasint,omitempty"`
}

func (sold) FactKind() string { return "market.sold" }

type soldLater struct {
	Ref    string   `cbor:"1,keyasint"`
	Places int64    `cbor:"2,keyasint"`
	Seller string   `cbor:"9,keyasint"`
	More   []string `cbor:"10,keyasint"`
}

func (soldLater) FactKind() string { return "market.sold" }

type other struct{}

func (other) FactKind() string { return "gate.other" }

func codec() *Codec {
	return NewCodec(func() Fact { return &sold{} }, func() Fact { return &other{} })
}

// TestVector pins the bytes: facts of the past must have the same digest for ever.
func TestVector(t *testing.T) {
	f := sold{Ref: "K7", Places: -2, At: time.UnixMicro(1756780000000001).In(time.FixedZone("", 12600)), Tag: [16]byte{1},
		Notes: map[string]string{"b": "2", "a": "1", "aa": "3"}}
	want := "a5" + // five fields, in the order of their numbers
		"01" + "624b37" + "02" + "21" +
		"03" + "781b" + hex.EncodeToString([]byte("2025-09-02T02:26:40.000001Z")) +
		"04" + "50" + "01" + strings.Repeat("00", 15) +
		"06" + "a3" + "6161" + "6131" + "6162" + "6132" + "626161" + "6133"
	b, err := codec().Encode(&f)
	if err != nil || hex.EncodeToString(b) != want {
		t.Errorf("got  %x, %v\nwant %s", b, err, want)
	}
	// A fact and a pointer to it are one.
	if c, err := codec().Encode(f); err != nil || !bytes.Equal(b, c) {
		t.Errorf("the value is %x, %v", c, err)
	}
}

var facts = rapid.Custom(func(t *rapid.T) *sold {
	f := &sold{
		Ref:    rapid.String().Draw(t, "ref"),
		Places: rapid.Int64().Draw(t, "places"),
		At:     time.UnixMicro(rapid.Int64Range(-62135596800_000000, 253402300799_000000).Draw(t, "at")).UTC(),
		Notes:  rapid.MapOfN(rapid.String(), rapid.String(), 0, 5).Draw(t, "notes"),
	}
	copy(f.Tag[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "tag"))
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		f.Lines = append(f.Lines, line{Code: rapid.String().Draw(t, "code")})
	}
	if len(f.Notes) == 0 {
		f.Notes = nil
	}
	return f
})

// TestRoundTrip: a fact is read as it was written, and written as it was read.
func TestRoundTrip(t *testing.T) {
	c := codec()
	rapid.Check(t, func(t *rapid.T) {
		f := facts.Draw(t, "fact")
		b, err := c.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Decode("market.sold", b)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%v, %v, want %v", got, err, f)
		}
		if again, err := c.Encode(got); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x, %v, want %x", again, err, b)
		}
	})
}

// TestNewerPeer: what a peer of the next version says more is passed over, and what one
// of the last version does not say is zero.
func TestNewerPeer(t *testing.T) {
	later := NewCodec(func() Fact { return &soldLater{} })
	b, err := later.Encode(soldLater{Ref: "K7", Places: 2, Seller: "x", More: []string{"y"}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := codec().Decode("market.sold", b)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.(*sold); got.Ref != "K7" || got.Places != 2 || !got.At.IsZero() {
		t.Errorf("got %+v", got)
	}
	b, err = codec().Encode(sold{Ref: "K7", Places: 2, At: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	f, err = later.Decode("market.sold", b)
	if err != nil || f.(*soldLater).Ref != "K7" || f.(*soldLater).Seller != "" {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	c := codec()
	deep := strings.Repeat("81", 20) + "00"
	tests := []struct{ name, kind, body string }{
		{"kind", "market.sol", "a0"},
		{"no kind", "", "a0"},
		{"nothing", "market.sold", ""},
		{"cut short", "market.sold", "a101"},
		{"more after it", "market.sold", "a000"},
		{"key twice", "market.sold", "a2016161016162"},
		{"key twice, unknown", "market.sold", "a218630018630" + "0"},
		{"key twice in a map of it", "market.sold", "a106a2616161316161" + "6132"},
		{"wrong type", "market.sold", "a10105"},
		{"not a map", "market.sold", "6161"},
		{"indefinite length", "market.sold", "bf01" + "6161" + "ff"},
		{"not UTF-8", "market.sold", "a10161ff"},
		{"number too large", "market.sold", "a1021bffffffffffffffff"},
		{"not a time", "market.sold", "a1036161"},
		{"too deep", "market.sold", "a11863" + deep},
		{"too many", "market.sold", "a11863" + "991001" + strings.Repeat("00", 4097)},
		{"a length that is not there", "market.sold", "a1015b7fffffffffffffff"},
	}
	for _, x := range tests {
		b, err := hex.DecodeString(x.body)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		if f, err := c.Decode(x.kind, b); err == nil {
			t.Errorf("%s: got %+v", x.name, f)
		}
	}
	if _, err := c.Decode("market.sold", append([]byte{0xa1, 0x18, 0x63, 0x59, 0xff, 0xff}, make([]byte, 65535)...)); err == nil || !strings.Contains(err.Error(), "60000") {
		t.Errorf("too large: %v", err)
	}
	if _, err := c.Decode("pass.unknown", []byte{0xa0}); err == nil || !strings.Contains(err.Error(), `"pass.unknown"`) {
		t.Errorf("an unknown kind is not named: %v", err)
	}
}

func TestSize(t *testing.T) {
	c := codec()
	fits := func(n int) error {
		_, err := c.Encode(other2{make([]byte, n)})
		return err
	}
	// One byte for the map, one for the key, three for the length.
	if err := fits(MaxSize - 5); err != nil {
		t.Errorf("just fits: %v", err)
	}
	if err := fits(MaxSize - 4); err == nil || !strings.Contains(err.Error(), "market.large") {
		t.Errorf("one too many: %v", err)
	}
}

type other2 struct {
	B []byte `cbor:"1,keyasint"`
}

func (other2) FactKind() string { return "market.large" }

func TestKinds(t *testing.T) {
	if got, want := codec().Kinds(), []string{"gate.other", "market.sold"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("two facts of one kind are taken")
		}
	}()
	NewCodec(func() Fact { return &sold{} }, func() Fact { return &soldLater{} })
}

func TestMarshal(t *testing.T) {
	c := codec()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(rapid.Uint16(), rapid.String(), 1, 9).Draw(t, "row")
		b, err := c.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got map[uint16]string
		if err := c.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, %v, want %v", got, err, want)
		}
		if again, err := c.Marshal(got); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x, then %x, %v", b, again, err)
		}
	})
}

// FuzzDecode: whatever comes, what is read can be written, and what is written is read as
// the same.
func FuzzDecode(f *testing.F) {
	c := codec()
	for _, v := range []sold{{}, {Ref: "K7", Places: 1 << 40, At: time.Unix(1756780000, 1), Lines: []line{{Code: "x"}}, Notes: map[string]string{"a": "b"}}} {
		b, err := c.Encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("market.sold", b)
	}
	f.Add("gate.other", []byte{0xa0})
	f.Add("", []byte{0xff})
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		v, err := c.Decode(kind, body)
		if err != nil {
			return
		}
		if v.FactKind() != kind {
			t.Errorf("%s is read as %s", kind, v.FactKind())
		}
		b, err := c.Encode(v)
		if err != nil {
			return // a time before the year 0 or after 9999, or what is now too large
		}
		w, err := c.Decode(kind, b)
		if err != nil {
			t.Fatalf("%x was read and written as %x: %v", body, b, err)
		}
		if again, err := c.Encode(w); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x, then %x, %v", b, again, err)
		}
	})
}
