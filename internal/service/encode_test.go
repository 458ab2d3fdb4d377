// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
)

// The types that write themselves, without their way to do so: what the codec makes of
// them by looking at the type alone.
type (
	plainBooking booking.Booking
	plainRefusal booking.Refusal
	plainHolder  booking.Holder
	plainMade    booking.Made
	plainAnswer  BookingAnswer
	plainEssence bookEssence
)

// drawn sets a value and everything in it at random; every field is zero now and then.
func drawn(t *rapid.T, v reflect.Value, deep int) {
	if rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			micros := rapid.SampledFrom([]int64{0, 1, 120_000, 123_456, 999_999, 500_000}).Draw(t, "micros")
			seconds := rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds")
			v.Set(reflect.ValueOf(time.Unix(seconds, micros*1000).In(time.FixedZone("", 5*3600))))
			return
		}
		for i := range v.NumField() {
			drawn(t, v.Field(i), deep)
		}
	case reflect.Slice:
		n := rapid.SampledFrom([]int{0, 1, 2, 25}).Draw(t, "length")
		if v.Type().Elem().Kind() == reflect.Struct {
			if n = min(n, 2); deep > 2 {
				n = 0 // parts have parts
			}
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawn(t, v.Index(i), deep+1)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		drawn(t, v.Elem(), deep+1)
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(rapid.Byte().Draw(t, "byte")))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "map")))
	case reflect.String:
		v.SetString(strings.Repeat(rapid.StringN(0, 8, 16).Draw(t, "text"), rapid.SampledFrom([]int{1, 3, 20, 5000}).Draw(t, "times")))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "number") >> rapid.IntRange(0, 63).Draw(t, "bits"))
	default:
		v.SetInt(rapid.Int64().Draw(t, "number") >> rapid.IntRange(0, 63).Draw(t, "bits"))
	}
}

// TestAppenders: what writes itself does so as the codec would, byte for byte, whatever
// is set in it.
func TestAppenders(t *testing.T) {
	codec := NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		var b booking.Booking
		var f booking.Refusal
		var h booking.Holder
		var m booking.Made
		var a BookingAnswer
		var e bookEssence
		for _, v := range []any{&b, &f, &h, &m, &a, &e} {
			drawn(r, reflect.ValueOf(v).Elem(), 0)
		}
		for _, x := range [][2]any{
			{&b, plainBooking(b)}, {&f, plainRefusal(f)}, {&h, plainHolder(h)}, {&m, plainMade(m)}, {a, plainAnswer(a)}, {e, plainEssence(e)},
		} {
			if _, ok := x[0].(fact.Appender); !ok {
				r.Fatalf("%T does not write itself", x[0])
			}
			got, err := codec.Marshal(x[0])
			want, err2 := codec.Marshal(x[1])
			if err != nil || err2 != nil || !bytes.Equal(got, want) {
				r.Fatalf("%+v:\ngot  %x, %v\nwant %x, %v", x[1], got, err, want, err2)
			}
		}
	})
	// What cannot be written is the codec's fault to find.
	if b, err := codec.Marshal(&booking.Booking{At: time.Date(12025, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Errorf("a year of five digits is written: %x", b)
	}
}
