// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
)

// TestAnswersRemembered asks about parties of every kind under laws that differ, in turns,
// of a desk that remembers and of one that does not: the facts and the verdict are the same.
func TestAnswersRemembered(t *testing.T) {
	reads := lawWith(t, "party.adults >= 1 && ", "party.adults <= 2 && party.children <= 2 && (!known(person.country) || person.country != 'IRN') && ",
		"{from: 2023-05-18, value: 18, source: example}", "{from: 2023-05-18, side: A, value: 18, source: example}\n      - {from: 2023-05-18, side: B, value: 39, source: example}")
	laws := []*rules.Law{reads, lawWith(t), lawWith(t, "value: 18, source: example", "value: 40, source: example"), lawWith(t, "site: mand-pishin, value: 400", "site: mand-pishin, value: 2")}
	rapid.Check(t, func(t *rapid.T) {
		var remembered booking.Answers
		d := booking.Desk{State: NewState().Booking, Levels: NewState().Levels, Intake: NewState().Intake, Law: laws[0], Side: agreement.A, Now: at("08:00", -1)}
		r := booking.Request{Ref: ref(1), Slot: slotAt(9)}
		for range rapid.IntRange(2, 30).Draw(t, "parties") {
			// Each differs from the one before in one thing.
			n := len(r.Members)
			one := func() *booking.Member { return &r.Members[rapid.IntRange(0, n-1).Draw(t, "who")] }
			what := rapid.IntRange(0, 10).Draw(t, "what")
			switch {
			case n == 0 || what == 0 && n < 3:
				m := booking.Member{Pass: pass.ID{byte(n + 1)}, Tag: id('t', uint64(n)), Document: "cnic", Country: "PAK", Age: 39}
				r.Members, r.Vendors = append(slices.Clip(r.Members), m), append(slices.Clip(r.Vendors), false)
			case what == 0:
				r.Members, r.Vendors = r.Members[:1], r.Vendors[:1]
			case what == 1:
				one().Document = rapid.SampledFrom([]string{"cnic", "passport"}).Draw(t, "document")
			case what == 2:
				one().Country = rapid.SampledFrom([]string{"", "PAK", "IRN"}).Draw(t, "country")
			case what == 3:
				one().Age = rapid.SampledFrom([]int16{-1, 0, 17, 18, 38, 39, 40}).Draw(t, "age")
			case what == 4:
				one().Children = rapid.SampledFrom([]uint8{0, 1, 3}).Draw(t, "children")
			case what == 5:
				r.Vendors[rapid.IntRange(0, n-1).Draw(t, "who")] = rapid.Bool().Draw(t, "vendor")
			case what == 6:
				r.Slot = slotAt(rapid.SampledFrom([]int{9, 10}).Draw(t, "hour"))
			case what == 7:
				r.Slot = booking.MakeSlotID(mand, rapid.SampledFrom([]uint8{visitor, vendor}).Draw(t, "class"), marketDay+rapid.Uint16Range(0, 1).Draw(t, "day"), 9*60)
			case what == 8:
				d.Side = rapid.SampledFrom([]agreement.Side{agreement.A, agreement.B}).Draw(t, "side")
			case what == 10:
				protocol.Apply(d.Levels, d.Now, &protocol.Heard{Site: mand, Side: "B", Changes: []protocol.Change{{
					Level:    rapid.SampledFrom([]string{"normal", "guarded", "high"}).Draw(t, "level"),
					Profiles: rapid.SampledFrom([][]string{nil, {"polio"}, {"cholera", "polio"}}).Draw(t, "profiles"), From: at("09:00", rapid.IntRange(-1, 0).Draw(t, "from")), Said: d.Now,
				}}})
			case what == 9:
				d.Law = rapid.SampledFrom(laws).Draw(t, "law")
			}
			d.Answers = nil
			facts, v, err := d.DecideBook(r)
			d.Answers = &remembered
			for range 2 {
				again, v2, err2 := d.DecideBook(r)
				if !reflect.DeepEqual(again, facts) || string(v2.Bytes()) != string(v.Bytes()) || !reflect.DeepEqual(err, err2) {
					t.Fatalf("%+v: remembered %s %+v %v, asked %s %+v %v", r, v2.Bytes(), again, err2, v.Bytes(), facts, err)
				}
			}
		}
	})
}
