// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"encoding/binary"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The tests play at Mand–Pishin on Tuesday, 2 September 2025, a market day, under the
// agreement package that comes with the program.
const (
	mand, gabd      = 1, 2
	visitor, vendor = 1, 2
)

var marketDay = rules.DayNumber(calendar.MustDate("2025-09-02"))

// at is an instant by the clock of Mand–Pishin, days after the market day.
func at(hhmm string, days ...int) time.Time {
	m, err := calendar.ParseMinute(hhmm)
	if err != nil {
		panic(err)
	}
	d := calendar.MustDate("2025-09-02")
	for _, n := range days {
		d = d.AddDays(n)
	}
	return d.At(m, calendar.MustZone("Asia/Karachi")).UTC()
}

func slotAt(hour int) booking.SlotID {
	return booking.MakeSlotID(mand, visitor, marketDay, uint16(hour*60))
}

var loaded = struct {
	sync.Mutex
	laws map[string]*rules.Law
}{laws: map[string]*rules.Law{}}

// lawWith loads the package with the example changed: pairs of old and new text.
func lawWith(t testing.TB, changes ...string) *rules.Law {
	t.Helper()
	loaded.Lock()
	defer loaded.Unlock()
	key := strings.Join(changes, "\x00")
	if l := loaded.laws[key]; l != nil {
		return l
	}
	fsys, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"parameters/example.yaml": nil, "clauses/example.yaml": nil, "clauses/sales-tax.yaml": nil}
	found := map[string]bool{}
	for file := range files {
		b, err := fs.ReadFile(fsys, file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for i := 0; i+1 < len(changes); i += 2 {
			found[changes[i]] = found[changes[i]] || strings.Contains(text, changes[i])
			text = strings.ReplaceAll(text, changes[i], changes[i+1])
		}
		files[file] = []byte(text)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if !found[changes[i]] {
			t.Fatalf("the package has no %q", changes[i])
		}
	}
	fsys, err = agreement.Overlay(fsys, files)
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	law, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	loaded.laws[key] = law
	return law
}

// small makes slots of Mand–Pishin hold twelve people, six for each side, and lets no
// more than eight of a side in at once.
var small = []string{
	"site: mand-pishin, value: 400", "site: mand-pishin, value: 12",
	"site: mand-pishin, side: A, value: 600", "site: mand-pishin, side: A, value: 8",
}

// tester is what a world tells of its troubles: a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

type world struct {
	t   tester
	now time.Time
	law *rules.Law
	mem *Mem
	n   uint64
}

// newWorld is an empty server of side A at eight in the morning of the day before the
// market day, with one officer of each role, whose id and login are the role's name.
func newWorld(t tester, law *rules.Law) *world { return newWorldOf(t, law, agreement.A) }

func newWorldOf(t tester, law *rules.Law, side agreement.Side) *world {
	w := &world{t: t, now: at("08:00", -1), law: law}
	w.mem = Memory(side, func() *Law { return w.law }, func() time.Time { return w.now })
	for _, r := range people.Roles {
		do[AppointAnswer](w, Appoint{Officer: people.Officer{ID: people.OfficerID(r), Login: string(r), Roles: []people.Role{r}, Active: true, Language: "en"}})
	}
	return w
}

// do runs a command that must not be a problem.
func do[A any](w *world, c Command) A {
	w.t.Helper()
	var a A
	d, err := w.mem.Do(context.Background(), Idem{}, c)
	if err != nil {
		w.t.Fatalf("%s: %v", c.CommandKind(), err)
	}
	if err := w.mem.codec.Unmarshal(d.Answer, &a); err != nil {
		w.t.Fatalf("%s: answer: %v", c.CommandKind(), err)
	}
	switch a := any(a).(type) {
	case HealthAnswer:
		seen(a.Verdict.Reasons)
	case ScanAnswer:
		seen(a.Verdict.Reasons)
	}
	return a
}

// fails runs a command that must be a problem of a kind and code, and change nothing.
func (w *world) fails(c Command, k problem.Kind, code string) {
	w.t.Helper()
	before := snapshot(w.mem.plain)
	_, err := w.mem.Do(context.Background(), Idem{}, c)
	if err == nil || problem.KindOf(err) != k || problem.CodeOf(err) != code {
		w.t.Errorf("%s: got %v, want %v: %s", c.CommandKind(), err, k, code)
	}
	if after := snapshot(w.mem.plain); !reflect.DeepEqual(before, after) {
		w.t.Errorf("%s: a problem changed the state", c.CommandKind())
	}
}

// snapshot returns all tables of a state on maps, sealed data excepted, with copies of
// the maps.
func snapshot(st State) map[string]any {
	out := map[string]any{}
	for _, part := range []any{st.Booking, st.Gate, st.Market, st.People, st.Stats, st.Erasure, st.Appeal, st.Levels, st.Screening, st.Intake} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			m := v.Field(i).Elem()
			c := reflect.MakeMap(m.Type())
			for _, k := range m.MapKeys() {
				c.SetMapIndex(k, m.MapIndex(k))
			}
			out[v.Type().PkgPath()+"."+v.Type().Field(i).Name] = c.Interface()
		}
	}
	return out
}

// id returns a different number of 16 bytes for every kind and n.
func id(kind byte, n uint64) (b [16]byte) {
	b[0] = kind
	binary.BigEndian.PutUint64(b[8:], n)
	return b
}

// ref makes the n-th reference.
func ref(n uint64) booking.Ref {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := []byte("000000000000")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = digits[n&31]
		n >>= 5
	}
	return booking.Ref(b)
}

func receipt(n uint64) string { return "R-" + string(ref(n)) }

// adult is a member whose document is that of the n-th person, with a pass of its own.
func (w *world) adult(person uint64, children uint8) NewMember {
	w.n++
	m := NewMember{Tag: id('t', person), Binding: id('b', person), Document: "cnic", Country: "PAK", Age: 30, Children: children}
	binary.BigEndian.PutUint64(m.Pass[:], w.n)
	return m
}

// book asks for places for one party of adults without children.
func (w *world) book(slot booking.SlotID, persons ...uint64) BookingAnswer {
	w.t.Helper()
	return do[BookingAnswer](w, w.booking(slot, persons...))
}

func (w *world) booking(slot booking.SlotID, persons ...uint64) Book {
	c := Book{Slot: slot}
	for _, p := range persons {
		c.Members = append(c.Members, w.adult(p, 0))
	}
	w.n++
	c.Ref = ref(w.n)
	return c
}

// wait joins the queue of a slot that is full.
func (w *world) wait(standing bool, slot booking.SlotID, persons ...uint64) BookingAnswer {
	w.t.Helper()
	c := w.booking(slot, persons...)
	c.Waits, c.Standing = true, standing
	return do[BookingAnswer](w, c)
}

func (w *world) slot(id booking.SlotID) booking.Slot {
	s, _ := w.mem.plain.Booking.Slots.Get(id)
	return s
}

func (w *world) stands(r booking.Ref) booking.Booking {
	b, _ := w.mem.plain.Booking.Bookings.Get(r)
	return b
}

// verdict checks that a verdict has an outcome and, where code is not empty, a reason.
func (w *world) verdict(v rules.Verdict, o reason.Outcome, code reason.Code) {
	w.t.Helper()
	seen(v.Reasons)
	found := code == ""
	for _, r := range v.Reasons {
		found = found || r.Code == code
	}
	if v.Outcome != o || !found {
		w.t.Fatalf("got %v for %v, want %v for %s; missing %v", v.Outcome, v.Reasons, o, code, v.Missing)
	}
}

// claims is the pass of a member of a booking.
func (w *world) claims(b booking.Booking, member int) pass.Claims {
	w.t.Helper()
	c, ok := PassClaims(w.law, w.mem.side, b, member)
	if !ok {
		w.t.Fatalf("no pass for %v", b)
	}
	return c
}

// scan is somebody who comes in healthy with pass and document.
func (w *world) scan(c pass.Claims) Scan {
	return Scan{Site: mand, Gate: 1, Direction: gate.In, Officer: "gate", Claims: c, Match: Fits,
		Screening: Screening{Done: true, TempTenths: 366}}
}

func (w *world) out(c pass.Claims) Scan {
	return Scan{Site: mand, Gate: 1, Direction: gate.Out, Officer: "gate", Claims: c}
}

// theirs is a pass that side B sold.
func (w *world) theirs(n uint64, slot booking.SlotID) pass.Claims {
	p, ok := w.law.Slot(slot.Site(), slot.Class(), slot.Day(), slot.Minute())
	e, ok2 := w.law.Edition(w.now)
	if !ok || !ok2 {
		w.t.Fatalf("no slot")
	}
	from, until := booking.PassSpan(w.law, "mand-pishin", p)
	c := pass.Claims{Side: pass.SideB, Edition: e.Hash.Prefix(), Binding: id('b', n), Site: slot.Site(), Slot: uint64(slot),
		Class: slot.Class(), Place: uint32(n), NotBefore: from, Expires: until, IssuedAt: from}
	binary.BigEndian.PutUint64(c.ID[:], 1<<40+n)
	return c
}

func (w *world) day() gate.SiteDay {
	d, _ := w.mem.plain.Gate.Days.Get(gate.SiteDayKey{Site: mand, Day: marketDay})
	return d
}

// display publishes a value for a good at Mand–Pishin today.
func (w *world) display(code string, minor int64) {
	w.t.Helper()
	do[DisplayAnswer](w, Display{Site: mand, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: code, Minor: minor, Currency: "USD"}}})
}

// buys is one whole unit of a good for a person with a CNIC.
func (w *world) buys(person uint64, code string, quantity int64) Buy {
	w.n++
	return Buy{ID: receipt(w.n), Site: mand, Tag: id('t', person), Code: code, Quantity: quantity, Officer: "customs", Document: "cnic", Named: true}
}

// number returns a receipt's number that nothing has yet.
func (w *world) number() string {
	w.n++
	return receipt(w.n)
}

// rebuilt holds the live state to what its facts make of an empty one, once they have
// been written down and read again; and each row to what is read of it again.
func (w *world) rebuilt() {
	w.t.Helper()
	var facts []Happened
	for _, h := range w.mem.Facts() {
		b, err := w.mem.codec.Encode(h.Fact)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		f, err := w.mem.codec.Decode(h.Fact.FactKind(), b)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		facts = append(facts, Happened{time.UnixMicro(h.At.UnixMicro()).UTC(), f})
	}
	live, again := snapshot(w.mem.plain), snapshot(Rebuild(facts))
	for name := range live {
		if !reflect.DeepEqual(live[name], again[name]) {
			w.t.Errorf("%s: rebuilt state differs\nlive    %v\nrebuilt %v", name, live[name], again[name])
		}
		rows := reflect.ValueOf(live[name])
		for _, k := range rows.MapKeys() {
			row := rows.MapIndex(k)
			b, err := w.mem.codec.Marshal(row.Interface())
			read := reflect.New(row.Type())
			if err == nil {
				err = w.mem.codec.Unmarshal(b, read.Interface())
			}
			if err != nil || !reflect.DeepEqual(row.Interface(), read.Elem().Interface()) {
				w.t.Errorf("%s: row differs when it is read again (%v)\nlive %+v\nread %+v", name, err, row, read.Elem())
			}
		}
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// lawless is the package with a clause against leaving.
func lawless(t testing.TB) *rules.Law {
	t.Helper()
	fsys, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	fsys, err = agreement.Overlay(fsys, map[string][]byte{"clauses/stay.yaml": []byte(`
instrument: example
clauses:
  - id: X-STAY
    kind: rule
    at: [gate]
    text: {en: "Nobody leaves.", fa: "کسی بیرون نرود.", ur: "کوئی باہر نہ جائے۔"}
    say: {en: "Nobody leaves.", fa: "کسی بیرون نرود.", ur: "کوئی باہر نہ جائے۔"}
    next: {en: "Stay.", fa: "بمانید.", ur: "ٹھہریں۔"}
    require: "direction == 'in'"
    else: REFUSE
    missing: REFER
    decides: gate
`)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	law, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return law
}
