// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/hmac"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
	"darwaza.dev/internal/stats"
)

// commands is one of every command, with every field filled in.
func commands() []Command {
	cs := []Command{Book{}, DecideBooking{}, Cancel{}, Move{}, BookTest{}, Accept{}, Decline{}, Reissue{}, Sweep{}, Acknowledge{}, BeginList{}, OpenSales{}, Movements{}, Claims{}, Withdrawn{}, OtherFigures{}, Scan{},
		DecideScan{}, DecideGoods{}, UndoScan{}, Settle{}, Display{}, Buy{}, Void{}, Enrol{}, Appoint{}, Erase{}, EraseDone{}, EraseDay{}, Contest{}, AnswerCase{}, SetLevel{}, HearLevels{}, Suspend{}, Lift{}, ProposePlan{}, AcceptPlan{}, HearClosures{}, OpenHealth{}, SeeHealth{}, IsolateHealth{}, HandHealth{}, IssueHealth{}, CloseHealth{}, ReleaseHealth{}, EraseHealth{}, CommitIntake{}, MeasureIntake{}, HearPlaces{}}
	for i, c := range cs {
		v := reflect.New(reflect.TypeOf(c)).Elem()
		fillIn(v, 1)
		cs[i] = v.Interface().(Command)
	}
	return cs
}

// fillIn sets every field to something that is not its zero value.
func fillIn(v reflect.Value, n uint64) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMicro(1756800000123456).UTC()))
			return
		}
		for i := range v.NumField() {
			fillIn(v.Field(i), n+uint64(i))
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]rules.Verdict]() { // a verdict has parts, which have none
			at := time.UnixMicro(1756800000123456).UTC()
			v.Set(reflect.ValueOf([]rules.Verdict{{Point: "text", Agreement: "text", At: at}, {Edition: "text", Missing: []string{"text"}, At: at}}))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillIn(v.Index(0), n)
		fillIn(v.Index(1), n+1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), n)
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i), n+uint64(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillIn(k, n)
		fillIn(e, n)
		v.SetMapIndex(k, e)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n%7 + 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(n%7 + 1)
	default:
		panic("no value for a " + v.Type().String())
	}
}

func TestCommandsRoundTrip(t *testing.T) {
	codec := NewCodec()
	for _, c := range commands() {
		b, err := codec.Marshal(c)
		if err != nil {
			t.Errorf("%s: %v", c.CommandKind(), err)
			continue
		}
		got, err := Decode(codec, c.CommandKind(), b)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", c.CommandKind(), err, got, c)
		}
	}
	if _, err := Decode(codec, "booking.steal", nil); problem.CodeOf(err) != "command.unknown" {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := Decode(codec, "booking.book", make([]byte, MaxCommand+1)); problem.KindOf(err) != problem.Limit {
		t.Errorf("too large: %v", err)
	}
	if _, err := Decode(codec, "booking.book", []byte{0xff}); problem.KindOf(err) != problem.Invalid {
		t.Errorf("not CBOR: %v", err)
	}
}

// TestFactsRoundTrip holds every fact, row and answer to being the same when it was
// written down and read again: a field without a number of its own would get lost.
func TestFactsRoundTrip(t *testing.T) {
	codec := NewCodec()
	var all []any
	for _, news := range [][]func() fact.Fact{booking.Facts(), gate.Facts(), market.Facts(), people.Facts(), stats.Facts(), erasure.Facts(), appeal.Facts(), protocol.Facts(), screening.Facts(), intake.Facts(), closure.Facts()} {
		for _, n := range news {
			all = append(all, n())
		}
	}
	if len(all) != len(codec.Kinds()) {
		t.Errorf("%d facts, %d kinds", len(all), len(codec.Kinds()))
	}
	all = append(all, new(booking.Slot), new(booking.Booking), new(booking.Holder), new(booking.Withdrawal), new(booking.Acks), new(booking.Refusal), new(BookingAnswer),
		new(gate.Presence), new(gate.SiteDay), new(gate.Withdrawn), new(gate.Heard),
		new(market.Value), new(market.Ledger), new(market.Vendor), new(people.Officer), new(stats.Day), new(stats.Other),
		new(SweepAnswer), new(AcknowledgeAnswer), new(BeginListAnswer), new(OpenSalesAnswer), new(booking.Held), new(MovementsAnswer), new(ClaimsAnswer), new(booking.ClaimChange), new(booking.TheirClaim), new(booking.ClaimCursor), new(gate.Move), new(gate.Elsewhere), new(WithdrawnAnswer), new(OtherFiguresAnswer), new(SettleAnswer), new(DisplayAnswer),
		new(EnrolAnswer), new(AppointAnswer), new(EraseAnswer), new(EraseDayAnswer),
		new(CaseAnswer), new(appeal.Case), new(appeal.Numbered), new(appeal.SiteCases), new(appeal.DayCases), new(market.TurnedLot), new(LevelAnswer), new(HearLevelsAnswer), new(protocol.Standing), new(SuspendAnswer), new(LiftAnswer), new(PlanAnswer), new(AcceptPlanAnswer), new(HearClosuresAnswer), new(closure.Standing), new(HealthAnswer), new(EraseHealthAnswer), new(screening.Case), new(screening.SiteCases), new(screening.File),
		new(IntakeAnswer), new(HearPlacesAnswer), new(intake.Standing), new(booking.Transfer), new(booking.Moving))
	for _, v := range all {
		fillIn(reflect.ValueOf(v).Elem(), 1)
		b, err := codec.Marshal(v)
		got := reflect.New(reflect.TypeOf(v).Elem())
		if err == nil {
			err = codec.Unmarshal(b, got.Interface())
		}
		if err != nil || !reflect.DeepEqual(got.Interface(), v) {
			t.Errorf("%T: %v\ngot  %+v\nwant %+v", v, err, got, v)
		}
		again, err := codec.Marshal(got.Interface())
		if err != nil || string(again) != string(b) {
			t.Errorf("%T: two spellings of one value", v)
		}
	}
}

// FuzzCommand runs whatever bytes decode to a command. Nothing may panic, a problem
// changes nothing, and the facts make the state.
func FuzzCommand(f *testing.F) {
	codec := NewCodec()
	for _, c := range commands() {
		b, err := codec.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(c.CommandKind(), b)
	}
	w := newWorld(f, lawWith(f, small...))
	for _, c := range []Command{
		w.booking(slotAt(9), 1, 2), w.booking(slotAt(9), 3, 4, 5, 6, 7, 8), Cancel{Ref: ref(1)}, Sweep{Slots: []booking.SlotID{slotAt(9)}},
		Scan{Site: mand, Gate: 1, Direction: gate.In, Officer: "gate", Fault: pass.Foreign}, w.scan(w.theirs(1, slotAt(9))), w.out(w.theirs(1, slotAt(9))),
		Settle{Site: mand, Day: marketDay - 1}, w.buys(1, tomato, 1000), Display{Site: mand, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: tomato, Minor: 1, Currency: "USD"}}},
		Appoint{Officer: officer("o-9", "", true, people.Clerk), By: "admin"}, Withdrawn{Side: "B", Upto: 2, Entries: []WithdrawnPass{{Serial: 2}}},
	} {
		b, err := codec.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(c.CommandKind(), b)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		c, err := Decode(codec, kind, body)
		if err != nil {
			return
		}
		var k Keys
		c.Keys(&k)
		w := newWorld(t, lawWith(t, small...))
		w.book(slotAt(9), 1)
		w.now = at("09:10")
		w.display(tomato, 100)
		before := snapshot(w.mem.plain)
		if _, err := w.mem.Do(t.Context(), Idem{}, c); err != nil {
			if !reflect.DeepEqual(before, snapshot(w.mem.plain)) {
				t.Errorf("%s: a problem changed the state: %v", kind, err)
			}
			if problem.KindOf(err) == problem.Internal {
				t.Errorf("%s: %v", kind, err)
			}
		}
		w.rebuilt()
	})
}

// FuzzFact applies whatever bytes decode to a fact to a state in which something has
// happened: a rebuild or a mirror must live through a record with faults.
func FuzzFact(f *testing.F) {
	codec := NewCodec()
	w, b := arrived(f)
	w.display(tomato, 100)
	do[ScanAnswer](w, w.scan(w.claims(b, 0)))
	do[BuyAnswer](w, w.buys(1, tomato, 1000))
	w.wait(true, slotAt(9), 5, 6, 7, 8)
	do[BookingAnswer](w, Cancel{Ref: w.book(slotAt(10), 9).Booking.Ref})
	do[AcknowledgeAnswer](w, Acknowledge{Serial: 1})
	past := w.mem.Facts()
	for _, h := range past {
		body, err := codec.Encode(h.Fact)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(h.Fact.FactKind(), body)
	}
	for _, news := range [][]func() fact.Fact{booking.Facts(), gate.Facts(), market.Facts(), people.Facts(), stats.Facts(), erasure.Facts(), appeal.Facts()} {
		for _, n := range news {
			v := n()
			fillIn(reflect.ValueOf(v).Elem(), 1)
			body, err := codec.Encode(v)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(v.FactKind(), body)
		}
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		v, err := codec.Decode(kind, body)
		if err != nil {
			return
		}
		st := Rebuild(past)
		Apply(st, at("12:00"), v)
		Apply(st, at("11:00"), v)
	})
}

// A retry is answered again and not done again; the same key for another act is a problem.
func TestMemoryIdempotency(t *testing.T) {
	w := newWorld(t, lawWith(t, small...))
	c := w.booking(slotAt(9), 1)
	idem := Idem{Key: strings.Repeat("k", 16), Actor: "public"}
	first, err := w.mem.Do(t.Context(), idem, c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.mem.Do(t.Context(), idem, c)
	if err != nil || !again.Again || string(again.Answer) != string(first.Answer) || w.slot(slotAt(9)).Taken != 1 {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := w.mem.Do(t.Context(), idem, Cancel{Ref: c.Ref}); problem.KindOf(err) != problem.Conflict {
		t.Errorf("%v", err)
	}
	// Of the same kind, and not the same act; and what an attempt draws anew makes no other.
	if _, err := w.mem.Do(t.Context(), idem, w.booking(slotAt(10), 1)); problem.CodeOf(err) != "idempotency.reused" {
		t.Errorf("another slot under the same key: %v", err)
	}
	anew := w.booking(slotAt(9), 1)
	if again, err := w.mem.Do(t.Context(), idem, anew); err != nil || !again.Again || anew.Ref == c.Ref {
		t.Errorf("a new attempt: %+v, %v", again, err)
	}
}

func TestNewRef(t *testing.T) {
	r := zeros{}
	if got := NewRef(r); !got.Valid() || got != "000000000000" {
		t.Errorf("%q", got)
	}
	if got := NewReceipt(r); got != "R-000000000000" {
		t.Errorf("%q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("went on with no randomness")
		}
	}()
	NewPassID(strings.NewReader("short"))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestDigest holds digests to what they tell apart and to the key that they are under.
func TestDigest(t *testing.T) {
	codec := NewCodec()
	of := func(key string, c Command) [32]byte {
		t.Helper()
		d, err := Digest(codec, hmac.New(sha256.New, []byte(key)), c)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	scan := func(temp int16) Scan {
		return Scan{Site: 1, Officer: "gate", Screening: Screening{Done: true, TempTenths: temp}}
	}
	if first, again := of("k", scan(366)), of("k", scan(366)); first != again || first == of("k", scan(367)) {
		t.Error("tells the same apart, or does not tell apart what is not")
	}
	if of("k", scan(366)) == of("l", scan(366)) {
		t.Error("the same under another key")
	}
	if of("k", Accept{Ref: "R"}) == of("k", Decline{Ref: "R"}) {
		t.Error("the same for another kind")
	}
}
