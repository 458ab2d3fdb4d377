// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/identity"
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

// What the story's people bring that must be kept nowhere in clear.
const (
	storyLogin = "ali.khan"
	storyCard  = "V-77123"
	storyTemp  = 391 // tenths of a degree
	storyWords = "they sent my mother away"
)

// A story runs commands, each of them twice under one idempotency key, as a client does
// whose answer was lost.
type story struct {
	*world
	n       int
	kinds   map[string]bool
	answers []byte // as they are kept
}

// own are the commands that the server gives by itself, but for Withdrawn: hearing the
// other side's list again is noted, as its age counts.
var own = map[string]bool{
	Sweep{}.CommandKind(): true, Acknowledge{}.CommandKind(): true, BeginList{}.CommandKind(): true,
	Movements{}.CommandKind(): true, Claims{}.CommandKind(): true, OtherFigures{}.CommandKind(): true, Settle{}.CommandKind(): true,
	EraseDone{}.CommandKind(): true, EraseDay{}.CommandKind(): true, MeasureIntake{}.CommandKind(): true, HearPlaces{}.CommandKind(): true,
}

// tell runs a command and its retry: the same answer, and nothing happens twice.
func tell[A any](s *story, c Command) A {
	s.t.Helper()
	s.n++
	idem := Idem{Key: fmt.Sprintf("story-key-%08d", s.n), Actor: "program"}
	first, err := s.mem.Do(context.Background(), idem, c)
	if err != nil {
		s.t.Fatalf("%s: %v", c.CommandKind(), err)
	}
	facts, before := len(s.mem.Facts()), snapshot(s.mem.plain)
	for range 2 {
		again, err := s.mem.Do(context.Background(), idem, c)
		if err != nil || !again.Again || !bytes.Equal(again.Answer, first.Answer) || again.First != first.First || again.Count != first.Count {
			s.t.Errorf("%s: a retry is answered %+v, %v; the first time it was %+v", c.CommandKind(), again, err, first)
		}
	}
	if n := len(s.mem.Facts()); n != facts || !reflect.DeepEqual(before, snapshot(s.mem.plain)) {
		s.t.Errorf("%s: a retry made %d facts", c.CommandKind(), n-facts)
	}
	// What another server would have forwarded is the same act.
	body, err := s.mem.codec.Marshal(c)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	sent, err := Decode(s.mem.codec, c.CommandKind(), body)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	if again, err := s.mem.Do(context.Background(), idem, sent); err != nil || !again.Again {
		s.t.Errorf("%s: a retry by another server: %v", c.CommandKind(), err)
	}
	// What the server does by itself carries no key: done again, it does nothing more.
	if own[c.CommandKind()] {
		before := len(s.mem.Facts())
		if _, err := s.mem.Do(context.Background(), Idem{}, c); err != nil && problem.KindOf(err) != problem.Conflict || len(s.mem.Facts()) != before {
			s.t.Errorf("%s, done again without a key: %d facts, %v", c.CommandKind(), len(s.mem.Facts())-before, err)
		}
	}
	s.kinds[c.CommandKind()] = true
	s.answers = append(s.answers, first.Answer...)
	var a A
	if err := s.mem.codec.Unmarshal(first.Answer, &a); err != nil {
		s.t.Fatalf("%s: %v", c.CommandKind(), err)
	}
	return a
}

// everything is a story in which every command is given and every kind of fact happens.
func everything(t *testing.T) *story {
	s := &story{world: held(t), kinds: map[string]bool{}}
	book := func(slot booking.SlotID, wait, standing bool, persons ...uint64) booking.Booking {
		t.Helper()
		c := s.booking(slot, persons...)
		c.Waits, c.Standing = wait, standing
		c.SealedID, c.Sealed = fmt.Sprint("sealed-", c.Ref), []byte("ciphertext")
		return tell[BookingAnswer](s, c).Booking
	}
	o := officer("o-1", "", true, people.Clerk, people.Supervisor)
	o.Login = storyLogin
	tell[AppointAnswer](s, Appoint{Officer: o, By: "admin", SealedID: "name", Sealed: []byte("ciphertext"), Word: "verifier"})
	tell[EnrolAnswer](s, Enrol{Register: id('r', 1), Vendor: market.Vendor{Card: storyCard, Site: mand, From: 1, Until: 60000}, Officer: "manager"})
	tell[BeginListAnswer](s, BeginList{List: 77, Hold: true})
	for _, site := range []uint16{mand, mand + 1, mand + 2} {
		tell[OpenSalesAnswer](s, OpenSales{Site: site, Officer: "supervisor"})
	}

	// Levels of protection of both sides.
	tell[LevelAnswer](s, SetLevel{Site: mand + 1, Level: "guarded", Profiles: []string{"cholera"}, Officer: "supervisor"})
	tell[HearLevelsAnswer](s, HearLevels{Sites: []SiteLevels{{Site: mand + 1, Changes: []protocol.Change{{Level: "high", From: s.now, Until: s.now.Add(time.Hour), Said: s.now, Officer: storyLogin, Profiles: []string{"polio"}}}}}})

	// What both sides take in, and places that move between them.
	tell[IntakeAnswer](s, CommitIntake{Site: mand + 1, Set: []intake.Line{{Resource: intake.Staff, Class: visitor, To: 1440, Places: 150}, {Resource: intake.Gate, Class: visitor, To: 1440, Percent: 90}}, Officer: "supervisor"})
	tell[IntakeAnswer](s, MeasureIntake{Site: mand + 1})
	moving := booking.MakeSlotID(mand, visitor, marketDay+4, 9*60)
	tell[HearPlacesAnswer](s, HearPlaces{Sites: []intake.Told{{Site: mand + 1, Serial: 1, Lines: []intake.Line{{Resource: intake.Yard, Class: visitor, Weekday: 2, To: 1440, Places: 160}}, Heard: 1}},
		Slots: []booking.TransferTold{{Slot: moving, Given: 1, Want: 2}}})
	if len(s.law.Slots(mand, marketDay+4, visitor)) == 0 {
		t.Fatal("the market is shut on that day")
	}
	for n := range uint64(8) {
		book(moving, n == 7, false, 900+n)
	}
	// What the sides close, and a plan of each.
	gabd := uint16(mand + 1)
	act := tell[SuspendAnswer](s, Suspend{Site: gabd, Classes: []string{"visitor"}, Direction: "in", Clause: "X-CLOSE", Cause: "health", Officer: "supervisor"}).Act
	stages := []closure.Stage{{From: rules.DayDate(marketDay + 3), Days: []uint8{2, 4}, Places: 20, Joining: 1}}
	tell[PlanAnswer](s, ProposePlan{Site: gabd, Classes: []string{"visitor"}, Direction: "in", Stages: stages, Waiting: 3, Officer: "supervisor"})
	plan := closure.Plan{Number: 1, Classes: []string{"visitor"}, Direction: "in", Ends: []closure.Name{{Side: "A", Number: act.Number}}, Stages: stages, Waiting: 3, Said: s.now, Officer: storyLogin}
	tell[HearClosuresAnswer](s, HearClosures{Sites: []SiteClosures{{Site: gabd, Standing: closure.Standing{
		Acts:     []closure.Act{{Number: 1, Classes: []string{"visitor"}, Direction: "in", From: s.now, Until: s.now.Add(time.Hour), Clause: "X-CLOSE", Agreement: "pk-ir-border-markets", Cause: "works", Said: s.now, Lifted: s.now, Most: time.Hour, Officer: storyLogin}},
		Plans:    []closure.Plan{plan},
		Consents: []closure.Consent{{Number: 9, Said: s.now, Officer: storyLogin}}}}}})
	tell[AcceptPlanAnswer](s, AcceptPlan{Site: gabd, Number: 1, Digest: plan.Digest("B"), Officer: "supervisor"})
	tell[LiftAnswer](s, Lift{Site: gabd, Number: act.Number, Officer: "supervisor"})

	// Requests that are left to an officer.
	for n, admit := range []bool{true, false} {
		c := s.booking(0, uint64(80+n))
		for _, p := range s.law.Slots(mand, marketDay, vendor) {
			c.Slot = booking.MakeSlotID(mand, vendor, p.Day, p.Minute)
		}
		c.SealedID, c.Sealed = fmt.Sprint("sealed-", c.Ref), []byte("ciphertext")
		tell[BookingAnswer](s, c)
		tell[BookingAnswer](s, DecideBooking{Ref: c.Ref, Admit: admit, Why: "paper", Officer: "manager"})
	}
	// A full slot, a queue, places that come back.
	in := book(slotAt(9), false, false, 1, 2)
	gone := book(slotAt(9), false, false, 3)
	second := book(slotAt(9), false, false, 4, 5, 6)
	takes, leaves := book(slotAt(9), true, false, 11), book(slotAt(9), true, false, 12)
	book(slotAt(9), true, true, 13)
	tell[BookingAnswer](s, Cancel{Ref: gone.Ref, Officer: "clerk"})
	tell[AcknowledgeAnswer](s, Acknowledge{List: 77, Serial: 1})
	tell[BookingAnswer](s, Accept{Ref: takes.Ref, Officer: "clerk"})
	tell[BookingAnswer](s, Move{Ref: second.Ref, To: slotAt(10), Officer: "clerk"})
	tell[AcknowledgeAnswer](s, Acknowledge{List: 77, Serial: 2, Used: nil})
	tell[AcknowledgeAnswer](s, Acknowledge{List: 77, Serial: 4})
	if b := s.stands(leaves.Ref); b.Status == booking.Offered {
		tell[BookingAnswer](s, Decline{Ref: leaves.Ref, Officer: "clerk"})
	}
	tell[BookingAnswer](s, Reissue{Ref: in.Ref, Member: 1, Officer: "clerk"})
	used := book(slotAt(11), false, false, 21)
	full := book(slotAt(11), false, false, 22, 23, 24, 25, 26)
	book(slotAt(11), true, false, 27)
	c := tell[BookingAnswer](s, Cancel{Ref: used.Ref})
	tell[AcknowledgeAnswer](s, Acknowledge{List: 77, Serial: s.lastSerial(), Used: []booking.UsedPass{{Serial: s.lastSerial(), Pass: c.Booking.Members[0].Pass}}})
	tell[BookingAnswer](s, Cancel{Ref: full.Ref})
	// A family waits, and by the time that places come back the law wants persons alone.
	law, seats := s.law, book(slotAt(12), false, false, 41, 42, 43, 44, 45, 46)
	book(slotAt(12), true, true, 47, 48)
	tell[BookingAnswer](s, Cancel{Ref: seats.Ref})
	s.law = lawWith(t, append([]string{"require: vendor.card\n    else: REFUSE", "require: vendor.card\n    else: HOLD",
		"require: party.size >= 1 && party.size <= param.party.max", "require: party.size == 1"}, small...)...)
	tell[AcknowledgeAnswer](s, Acknowledge{List: 77, Serial: s.lastSerial()})
	s.law = law

	// Tests at the health desk of a site under protection.
	noon := booking.MakeSlotID(mand+1, visitor, marketDay, 12*60)
	desk := func(minute uint16) booking.SlotID { return booking.MakeTestSlotID(mand+1, marketDay, minute) }
	sick := s.booking(noon, 90)
	sick.Test, sick.SealedID, sick.Sealed = desk(11*60), fmt.Sprint("sealed-", sick.Ref), []byte("ciphertext")
	sick.Members[0].Shown = testedAt(at("12:00", -3))
	if a := tell[BookingAnswer](s, sick); a.Booking.Test == nil {
		t.Errorf("no test is booked: %+v", a.Verdict)
	}
	tell[BookingAnswer](s, Move{Ref: sick.Ref, To: booking.MakeSlotID(mand+1, visitor, marketDay, 13*60), Officer: "clerk"})
	tell[BookingAnswer](s, BookTest{Ref: sick.Ref, Slot: desk(12 * 60), Officer: "clerk"})

	// The gate.
	s.now = at("09:30")
	tell[WithdrawnAnswer](s, Withdrawn{Side: "B", List: 5, Upto: 1, Entries: []WithdrawnPass{{Serial: 1, Pass: pass.ID{9}, Gen: 1, Until: s.now.Unix() + 3600}}})
	in = s.stands(in.Ref)
	ill := s.scan(s.claims(in, 0))
	ill.Screening = Screening{Done: true, TempTenths: storyTemp, Symptoms: true}
	tell[ScanAnswer](s, ill)
	hurt := s.scan(s.claims(in, 0))
	hurt.Match, hurt.Screening = NotCompared, Screening{}
	h := tell[ScanAnswer](s, hurt)
	tell[ScanAnswer](s, DecideScan{Pass: h.Presence.Pass, Serial: h.Scan.Serial, Admit: true, Why: "seen", Officer: "supervisor", Gate: 1})
	a := tell[ScanAnswer](s, s.scan(s.claims(in, 1)))
	tell[ScanAnswer](s, UndoScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Officer: "gate"})
	only := book(slotAt(10), false, false, 31)
	s.now = at("10:00")
	a = tell[ScanAnswer](s, s.scan(s.claims(only, 0)))
	tell[ScanAnswer](s, UndoScan{Pass: a.Presence.Pass, Serial: a.Scan.Serial, Officer: "gate"})
	// Somebody waits for a decision, and the booking is cancelled meanwhile.
	hurt = s.scan(s.claims(only, 0))
	hurt.Match, hurt.Screening = NotCompared, Screening{Done: true, TempTenths: storyTemp}
	h = tell[ScanAnswer](s, hurt)
	hurt.Screening = Screening{}
	h = tell[ScanAnswer](s, hurt)
	tell[BookingAnswer](s, Cancel{Ref: only.Ref})
	tell[ScanAnswer](s, DecideScan{Pass: h.Presence.Pass, Serial: h.Scan.Serial, Admit: true, Why: "seen", Officer: "supervisor", Gate: 1})
	// The other side's gates and figures.
	theirs := s.stands(takes.Ref)
	tell[MovementsAnswer](s, Movements{Heard: gate.MovesHeard{Side: "B", List: 6, Upto: 1, Moves: []gate.Move{{Serial: 1, Pass: theirs.Members[0].Pass, Kind: gate.CameIn, At: s.now, Inside: true, Used: true}}}})
	tell[ClaimsAnswer](s, Claims{Heard: booking.ClaimsHeard{List: 8, Upto: 1, Changes: []booking.ClaimChange{{Serial: 1, Kind: booking.ClaimUsed, Tag: id('t', 11), Site: mand, Day: marketDay}}}})
	tell[OtherFiguresAnswer](s, OtherFigures{Site: mand, Day: marketDay, Figures: stats.Other{Inside: 3, AsOf: s.now}})
	// A scan that nobody decides.
	hurt = s.scan(s.theirs(1, slotAt(10)))
	hurt.Match, hurt.Screening = NotCompared, Screening{}
	tell[ScanAnswer](s, hurt)

	// The goods desk.
	tell[DisplayAnswer](s, Display{Site: mand, Day: marketDay, Officer: "customs", Values: []DisplayValue{{Code: tomato, Minor: 100, Currency: "USD"}}})
	buy := s.buys(1, tomato, 50_010)
	turned := tell[BuyAnswer](s, buy)
	buy = s.buys(1, tomato, 1000)
	buy.SealedID, buy.Sealed = "sealed-receipt", []byte("ciphertext")
	tell[BuyAnswer](s, buy)
	tell[BuyAnswer](s, Void{ID: buy.ID, Why: "double", Officer: "customs"})
	// Goods at the way out: kept, then let go; and once more, where nobody decides.
	buy = s.buys(1, tomato, 1000)
	tell[BuyAnswer](s, buy)
	s.now = at("10:05")
	out := tell[ScanAnswer](s, s.out(s.claims(in, 0)))
	tell[ScanAnswer](s, DecideGoods{Pass: out.Presence.Pass, Serial: out.Scan.Serial, Why: "unpaid", Officer: "customs"})
	tell[ScanAnswer](s, DecideGoods{Pass: out.Presence.Pass, Serial: out.Scan.Serial, Go: true, Why: "paid", Officer: "customs"})
	tell[ScanAnswer](s, UndoScan{Pass: out.Presence.Pass, Serial: out.Scan.Serial, Officer: "gate"})
	tell[ScanAnswer](s, s.out(s.claims(in, 0)))
	tell[ScanAnswer](s, s.scan(s.claims(in, 0))) // and is never scanned out

	// Answers are contested, and a supervisor says what is right.
	k := tell[CaseAnswer](s, s.contest(appeal.Subject(turned.Turned), pass.ID{}, "clerk"))
	tell[CaseAnswer](s, s.answering(k.Case, true, "misread", "come"))
	k = tell[CaseAnswer](s, s.contest(appeal.ScanSubject(h.Presence.Site, h.Presence.Day, h.Scan.Serial), h.Presence.Pass, ""))
	tell[CaseAnswer](s, s.answering(k.Case, false, "clause", "nothing"))

	// The health desk: a positive case whose goods go on, and one that is fit.
	s.storyHealth(in)

	// Time goes on, until nothing of it is left.
	s.now = at("12:00")
	tell[SweepAnswer](s, Sweep{Slots: []booking.SlotID{slotAt(9), slotAt(10), slotAt(11)}})
	s.now = at("00:10", 1)
	var refs []booking.Ref
	for _, b := range RosterOf(s.mem.plain, mand, marketDay) {
		refs = append(refs, b.Ref)
	}
	tell[SettleAnswer](s, Settle{Site: mand, Day: marketDay, Bookings: refs})
	tell[SweepAnswer](s, Sweep{Slots: []booking.SlotID{slotAt(9), slotAt(10), slotAt(11)}})
	tell[EraseAnswer](s, Erase{Ref: in.Ref, Officer: "o-1"})
	tell[EraseHealthAnswer](s, EraseHealth{Cases: []screening.ID{"H-00000000000C"}, Officer: "health"})
	_, done, _ := EraseWaiting(s.mem.plain)
	tell[EraseDayAnswer](s, done)
	s.now = at("00:10", 40)
	_, day, _ := EraseNext(s.mem.plain, s.law, s.mem.side, 30, s.now)
	tell[EraseDayAnswer](s, day)
	return s
}

// storyHealth tells of two persons at the health desk, of whom one is kept apart.
func (s *story) storyHealth(goesOn booking.Booking) {
	s.t.Helper()
	for i, sick := range []bool{true, false} {
		h := screening.ID(fmt.Sprintf("H-00000000000%c", 'B'+i))
		tell[HealthAnswer](s, OpenHealth{ID: h, Site: mand, Register: id('r', uint64(700+i)), Officer: "health", SealedID: fmt.Sprint("sealed-health-", i), Sealed: []byte("ciphertext")})
		seen := screening.Answers{Done: true, TempTenths: storyTemp}
		if !sick {
			seen = screening.Answers{Done: true, TempTenths: 366, Symptoms: true}
		}
		see := SeeHealth{Case: h, Act: screening.Asked, Answers: seen, Officer: "health", Sealed: []byte("ciphertext")}
		tell[HealthAnswer](s, see)
		if sick {
			tell[LevelAnswer](s, SetLevel{Site: mand, Level: "guarded", Emergency: true, Officer: "supervisor"})
			see.Act, see.Tests = screening.Tested, []screening.Test{{Profile: "covid", Kind: "antigen", Product: storyWords, Taken: s.now, Result: "positive", Read: s.now}}
			tell[HealthAnswer](s, see)
			tell[HealthAnswer](s, IssueHealth{Case: h, Number: "URN:UVCI:01:PK:0123456789#A", Key: []byte("12345678"), Officer: "health"})
			tell[HealthAnswer](s, IsolateHealth{Case: h, Clause: "X-ISOLATE-COVID", Officer: "health"})
			tell[HealthAnswer](s, HandHealth{Case: h, Pass: goesOn.Members[0].Pass, Officer: "health"})
			tell[HealthAnswer](s, ReleaseHealth{Case: h, How: screening.ByOfficer, Why: "care", Officer: "health"})
			continue
		}
		tell[HealthAnswer](s, CloseHealth{Case: h, Fit: true, Why: "cause", Officer: "health"})
	}
}

// lastSerial is the newest serial of this side's list of withdrawals.
func (s *story) lastSerial() uint64 {
	_, last := WithdrawalsAfter(s.mem.plain, 0, 0)
	return last
}

// commandKinds returns the types that name a command's kind in this package's source.
func commandKinds(t *testing.T) (types []string) {
	t.Helper()
	pkgs, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range pkgs {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == "CommandKind" {
				types = append(types, m.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	return types
}

// TestEveryCommandOnce retries every kind of command that there is, and has every kind of
// fact happen on the way.
func TestEveryCommandOnce(t *testing.T) {
	s := everything(t)
	var listed []string
	for _, c := range commands() {
		listed = append(listed, reflect.TypeOf(c).Name())
		if !s.kinds[c.CommandKind()] {
			t.Errorf("no command of kind %s was retried: let the story give one", c.CommandKind())
		}
	}
	for _, name := range commandKinds(t) {
		if !slices.Contains(listed, name) {
			t.Errorf("the command %s is in no list of commands", name)
		}
	}
	s.rebuilt()
}

// leaves calls f with the path and the value of everything in v that is no container.
func leaves(v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[calendar.Date]():
		f(path, v)
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			leaves(v.Elem(), path, f)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() {
			leaves(v.Index(i), path+"[]", f)
		}
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			leaves(k, path+"{key}", f)
			leaves(v.MapIndex(k), path+"{}", f)
		}
	default:
		f(path, v)
	}
}

// forms are the only texts that a fact may hold, by their class in testdata/facts.txt.
// None has room for a name, a number that somebody else gave, or a sentence.
var forms = map[string]string{
	"ref":       `^([0-9A-HJKMNP-TV-Z]{12})?$`,
	"receipt":   `^(R-[0-9A-HJKMNP-TV-Z]{12})?$`,
	"country":   `^([A-Z]{3})?$`,
	"sealed":    `^(sealed-[0-9A-Za-z-]+|name)?$`, // the story's; the vault's are random
	"hash":      `^([0-9a-f]{64})?$`,
	"clause":    `^[A-Za-z0-9()./_-]{0,40}$`,
	"reason":    `^[a-z_]+\.[a-z_]+\.[a-z_]+$`,
	"goods":     `^[0-9]{8}$`,
	"category":  `^[A-Z0-9]{0,8}$`,
	"currency":  `^[A-Z]{3}$`,
	"unit":      `^[a-z0-9 ]{0,12}$`,
	"regime":    `^(concession|statutory)?$`,
	"side":      `^[AB]?$`,
	"way":       `^(in|out)$`,
	"site":      `^[a-z-]{0,64}$`,
	"language":  `^(en|fa|ur)?$`,
	"level":     `^[a-z0-9.-]{1,60}$`,              // id of a level of protection, or of a disease profile
	"test":      `^[a-z0-9]{1,20}/[a-z0-9]{1,20}$`, // disease and kind of a test that is booked
	"scope":     `^(in|out)?$`,
	"cause":     `^(health|security|weather|works|holiday|other)$`,
	"attribute": `^[a-z][a-z0-9.]{0,59}$`,
	// Attributes that clauses read, by their declared types; a text is a word of a closed set or a code of a good.
	"question":  `^\{"point":"[a-z]+","at":"[0-9TZ:-]{20}","site":"[a-z-]+","side":"[AB]","facts":\{("[a-z.]+":("[a-z]{1,10}"|"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z"|"[0-9]{8}"|[0-9]{1,6}|true|false|\[("[a-z0-9/]{1,20}",?)*\]),?)*\}(,"lots":\[(\{("[a-z]+":("[A-Za-z-]{1,16}"|[0-9]{1,6}),?)*\},?)*\])?\}$`,
	"health":    `^(H-[0-9A-HJKMNP-TV-Z]{12})?$`,
	"levelkey":  `^[a-z0-9. -]{0,200}$`,
	"act":       `^(asked|sampled|tested)$`,
	"how":       `^(date|test|officer)$`,
	"uvci":      `^URN:UVCI:01:[A-Z]{2}:[0-9A-Z]{1,20}#[0-9A-Z]$`,
	"case":      `^(C-[0-9A-HJKMNP-TV-Z]{12})?$`,
	"subject":   `^((R-)?[0-9A-HJKMNP-TV-Z]{12}|G-[0-9]{1,5}-[0-9]{1,5}-[0-9]{1,20})$`,
	"kind":      `^(request|booking|scan|lot)$`,
	"next":      `^(nothing|book|come|corrected)$`,
	"nothing":   `^$`,
	"asked":     `^(attribute|[a-z]+\.[a-z]+)?$`, // what a clause reads, by its name in the agreement
	"agreement": `^[a-z0-9-]{0,64}$`,
}

// TestFactsHoldNothingPersonal goes through every kind of fact and every field of it. A
// field that testdata/facts.txt does not name with its class is a fault: whoever adds one
// says there what it may hold. Every kind must happen in the story, every text must have
// the form of its class, and neither facts nor kept answers hold what the story's people
// brought: a login, a card's number, a temperature.
func TestFactsHoldNothingPersonal(t *testing.T) {
	classes := declaredFacts(t)
	codec := NewCodec()
	unused := map[string]bool{}
	for path := range classes {
		unused[path] = true
	}
	for _, kind := range codec.Kinds() {
		f, err := codec.Decode(kind, []byte{0xa0})
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.ValueOf(f).Elem()
		fillIn(v, 1)
		leaves(v, kind, func(path string, v reflect.Value) {
			class, ok := classes[path]
			switch {
			case !ok:
				t.Errorf("%s (%s) is not in testdata/facts.txt: say there what it may hold", path, v.Type())
			case v.Kind() == reflect.String && class == "number":
				t.Errorf("%s is a text and no number", path)
			case v.Kind() != reflect.String && forms[class] != "":
				t.Errorf("%s is no text of class %s", path, class)
			}
			delete(unused, path)
		})
	}
	for path := range unused {
		t.Errorf("testdata/facts.txt names %s, which is no field of a fact", path)
	}

	s := everything(t)
	officers := map[string]bool{"": true}
	for _, o := range OfficersOf(s.mem.plain) {
		officers[string(o.ID)] = true
	}
	grounds := map[string]bool{"": true}
	for _, list := range [][]string{gate.Grounds[:], gate.GoodsGrounds[:], market.Grounds[:], booking.Grounds[:], appeal.Upheld[:], appeal.Changed[:], screening.Fit[:], screening.Unfit[:], screening.Reliefs[:]} {
		for _, g := range list {
			grounds[g] = true
		}
	}
	roles := map[string]bool{}
	for _, r := range people.Roles {
		roles[string(r)] = true
	}
	documents := map[string]bool{"": true}
	for _, k := range identity.Kinds {
		documents[string(k)] = true
	}
	sets := map[string]map[string]bool{"officer": officers, "ground": grounds, "role": roles, "document": documents}
	happened := map[string]bool{}
	for _, h := range s.mem.Facts() {
		kind := h.Fact.FactKind()
		happened[kind] = true
		leaves(reflect.ValueOf(h.Fact).Elem(), kind, func(path string, v reflect.Value) {
			class := classes[path]
			if v.Kind() == reflect.String {
				set, form := sets[class], forms[class]
				if set == nil && form == "" {
					t.Errorf("%s: no class %q", path, class)
				} else if set != nil && !set[v.String()] || form != "" && !regexp.MustCompile(form).MatchString(v.String()) {
					t.Errorf("%s holds %q, which is no %s", path, v, class)
				}
			}
			if v.CanInt() && v.Int() == storyTemp || v.CanUint() && v.Uint() == storyTemp {
				t.Errorf("%s holds the temperature", path)
			}
		})
		b, err := codec.Encode(h.Fact)
		if err != nil {
			t.Fatal(err)
		}
		holdsNothing(t, kind, b)
	}
	for _, kind := range codec.Kinds() {
		if !happened[kind] {
			t.Errorf("no fact of kind %s happened: let the story make one", kind)
		}
	}
	holdsNothing(t, "a kept answer", s.answers)
}

// holdsNothing looks for what the story's people brought, as text and as a number.
func holdsNothing(t *testing.T, where string, b []byte) {
	t.Helper()
	b = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAll(b, nil) // a hash of an edition may hold any digits
	for _, secret := range []string{storyLogin, storyCard, storyWords, "39.1", fmt.Sprint(storyTemp), "\x19\x01\x87", "ciphertext"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s holds %q", where, secret)
		}
	}
}

// declaredFacts reads testdata/facts.txt: a path and a class on each line.
func declaredFacts(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if len(f) != 2 || classes[f[0]] != "" {
			t.Fatalf("testdata/facts.txt: %q", line)
		}
		classes[f[0]] = f[1]
	}
	return classes
}
