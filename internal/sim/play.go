// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/problem"
)

// The place of the play, as the agreement names it.
const playSite = "mand-pishin"

// The clock of the day, in minutes.
const (
	dayBegins  = -20 * 60 // bookings open on the day before
	dayEnds    = 17*60 + 30
	lastExit   = 16*60 + 50
	valuesAt   = 6*60 + 40 // the values of the day are displayed
	exchangeBy = 10        // minutes between two rounds of the exchange on the day itself
)

// gates are the gate of each side at the site of the play.
func gateOf(s agreement.Side) uint16 {
	if s == agreement.B {
		return 2
	}
	return 1
}

// Player lets the people of a plan act at both sides' APIs.
type Player struct {
	demo   *Demo
	day    time.Time // midnight of the market day
	agenda *agenda
	world  World
	plan   Plan
	states []partyState
	http   *http.Client

	minute int // the next minute to be played

	mu       sync.Mutex // guards what follows
	inside   map[agreement.Side]uint32
	capacity map[agreement.Side]uint32
	tally    tally
	done     int
	total    int
}

// partyState is what a party has come to.
type partyState struct {
	ref    string
	status string
	slot   int
	passes []string // by member, of the present generation
	old    []string // of the generation before a cancellation
	inside []bool
	ids    []string // pass ids, as the gate named them
	at     []agreement.Side
	tested bool // has a test at the health desk
}

// NewPlayer plans a day for a demonstration whose clock stands.
func NewPlayer(ctx context.Context, d *Demo, visitors, vendors int) (*Player, error) {
	day, err := demoDay()
	if err != nil {
		return nil, err
	}
	p := &Player{
		demo: d, day: day, agenda: newAgenda(), http: newClient(), minute: dayBegins,
		inside: map[agreement.Side]uint32{}, capacity: map[agreement.Side]uint32{}, tally: newTally(),
	}
	if err := p.look(ctx); err != nil {
		return nil, err
	}
	p.plan = MakePlan(d.seed, p.world, visitors, vendors)
	p.states = make([]partyState, len(p.plan.Parties))
	p.schedule()
	p.total = p.agenda.left()
	return p, nil
}

// as is the program of one officer of a side.
func (p *Player) as(side agreement.Side, login string) caller {
	s := p.demo.Of(side)
	return caller{base: s.peer, token: s.tokens[login], client: p.http}
}

// look learns from the APIs what can be booked and bought.
func (p *Player) look(ctx context.Context) error {
	type slots struct {
		Slots []struct {
			ID        string    `json:"id"`
			From      time.Time `json:"from"`
			Until     time.Time `json:"until"`
			Allotment int       `json:"allotment"`
		} `json:"slots"`
	}
	openings := func(class string, day time.Time) ([]Opening, error) {
		var all []Opening
		for _, side := range sides {
			var a slots
			path := "/api/v1/slots?site=" + playSite + "&class=" + class + "&day=" + stamp(day)
			if err := p.as(side, "clerk").call(ctx, http.MethodGet, path, "", nil, &a); err != nil {
				return nil, err
			}
			for i, s := range a.Slots {
				id, err := strconv.ParseUint(s.ID, 10, 64)
				if err != nil {
					return nil, problem.Wrap(problem.Internal, "play.slot", err)
				}
				if side == agreement.A {
					all = append(all, Opening{ID: booking.SlotID(id), Minute: int(s.From.Sub(day).Minutes()), Until: int(s.Until.Sub(day).Minutes()), Places: map[agreement.Side]int{}})
				}
				if i >= len(all) || all[i].ID != booking.SlotID(id) {
					return nil, problem.Newf(problem.Internal, "play.slot", "the sides name other slots for the same hours")
				}
				all[i].Places[side] = s.Allotment
			}
		}
		return all, nil
	}
	var err error
	if p.world.Slots, err = openings("visitor", p.day); err != nil {
		return err
	}
	if p.world.Later, err = openings("visitor", p.day.AddDate(0, 0, 4)); err != nil {
		return err
	}
	if p.world.Vendors, err = openings("vendor", p.day); err != nil {
		return err
	}
	if len(p.world.Slots) == 0 {
		return problem.Newf(problem.Internal, "play.slot", "no slot at %s on %s", playSite, stamp(p.day))
	}
	var values struct {
		Values []struct {
			Good     string `json:"good"`
			Category string `json:"category"`
			Unit     string `json:"unit"`
		} `json:"values"`
	}
	if err := p.as(agreement.A, "customs").call(ctx, http.MethodGet, "/api/v1/values?site="+playSite+"&day="+stamp(p.day), "", nil, &values); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(p.demo.seed, 7))
	for i, v := range values.Values {
		p.world.Goods = append(p.world.Goods, Good{
			Code: v.Good, Category: v.Category, Unit: v.Unit, Minor: int64(20 + 5*rng.IntN(120)), Currency: "USD", Hidden: i%23 == 11,
		})
	}
	return nil
}

// schedule writes the plan into the agenda.
func (p *Player) schedule() {
	a := p.agenda
	a.add(valuesAt, phaseOffice, act{"values", 0, p.display})
	a.add(dayBegins, phaseOffice, act{"level", 0, func(ctx context.Context) error { return p.level(ctx, agreement.A, guardLevel, false) }})
	a.add(noonAt, phaseOffice, act{"level", 0, func(ctx context.Context) error { return p.level(ctx, agreement.B, noonLevel, true) }})
	for i := range p.plan.Parties {
		party := &p.plan.Parties[i]
		st := &p.states[i]
		n := len(party.Members)
		st.slot, st.passes, st.old, st.inside, st.ids, st.at = party.Slot, make([]string, n), make([]string, n), make([]bool, n), make([]string, n), make([]agreement.Side, n)
		lane := fmt.Sprintf("%s/%v/%d/%02d", party.Side, party.Later, party.Vendor/1000, party.Slot)
		if party.Vendor > 0 {
			lane = fmt.Sprintf("%s/vendors", party.Side)
			a.add(party.BookAt-10, phaseOffice, act{lane, i, func(ctx context.Context) error { return p.enrol(ctx, i) }})
		}
		a.add(party.BookAt, phaseBook, act{lane, i, func(ctx context.Context) error { return p.book(ctx, i) }})
		change := string(party.Side)
		if party.Second {
			a.add(party.BookAt+3, phaseChange, act{change, i, func(ctx context.Context) error { return p.bookAgain(ctx, i) }})
		}
		if party.CancelAt != 0 {
			a.add(party.CancelAt, phaseChange, act{change, i, func(ctx context.Context) error { return p.cancel(ctx, i) }})
		}
		if party.MoveAt != 0 {
			a.add(party.MoveAt, phaseChange, act{change, i, func(ctx context.Context) error { return p.move(ctx, i) }})
		}
		if party.Waits {
			// Somebody who waits looks now and then whether a place has come.
			for _, before := range []int{90, 40, 15} {
				if at := party.Members[0].Arrive - before; at > party.BookAt {
					a.add(at, phaseChange, act{change, i, func(ctx context.Context) error { return p.lookUp(ctx, i) }})
				}
			}
		}
		for m := range party.Members {
			if v := &party.Members[m]; v.Trouble != NotComing {
				a.add(v.Arrive, phaseEnter, act{p.gateLane(i, m), i*16 + m, func(ctx context.Context) error { return p.arrive(ctx, i, m) }})
			}
		}
	}
	for i, side := range sides {
		a.add(dayEnds, phaseOffice, act{"settle", i, func(ctx context.Context) error { return p.settle(ctx, side) }})
	}
}

// gateLane is a lane of its own for each pass: whether one comes in does not depend on
// another who comes in the same minute, unless the market is nearly full.
func (p *Player) gateLane(party, member int) string { return fmt.Sprintf("%05d/%02d", party, member) }

// Step plays one minute and returns false when the day is over.
func (p *Player) Step(ctx context.Context) (more bool, err error) {
	if p.minute > max(dayEnds, p.agenda.last()) {
		return false, nil
	}
	p.demo.Clock.Set(p.day.Add(time.Duration(p.minute) * time.Minute))
	every := 60
	if p.minute >= valuesAt {
		every = exchangeBy
	}
	if (p.minute-dayBegins)%every == 0 {
		if err := p.Tick(ctx); err != nil {
			return false, err
		}
	}
	for ph := range phases {
		acts := p.agenda.take(p.minute, ph)
		if ph == phaseEnter && p.nearlyFull(acts) {
			for i := range acts {
				acts[i].lane = "one after another"
			}
		}
		if len(acts) == 0 {
			continue
		}
		if err := run(ctx, acts, p.count); err != nil {
			return false, err
		}
	}
	p.minute++
	return true, nil
}

// Tick lets both sides do what they do by themselves: standby moves up, and each reads
// what the other has to say.
func (p *Player) Tick(ctx context.Context) error {
	for _, side := range sides {
		if err := p.demo.Of(side).Post.Tick(ctx); err != nil {
			return err
		}
	}
	for _, side := range sides {
		if x := p.demo.Of(side).Post.Exchange(); !x.Status().Cut {
			if err := x.Pull(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Player) count() {
	p.mu.Lock()
	p.done++
	p.mu.Unlock()
}

// Progress returns how many acts are done, how many are known, and the time of day.
func (p *Player) Progress() (done, total int, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done, p.done + p.agenda.left(), p.day.Add(time.Duration(p.minute) * time.Minute)
}

// nearlyFull reports whether those who come might fill the market, so that it matters
// who is first.
func (p *Player) nearlyFull(acts []act) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, side := range sides {
		if limit := p.capacity[side]; limit > 0 && p.inside[side]+uint32(len(acts))*4 >= limit {
			return true
		}
	}
	return false
}

// key names an act of the play, for its idempotency.
func (p *Player) key(what string, parts ...int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "play-%d-%s", p.demo.seed, what)
	for _, n := range parts {
		fmt.Fprintf(&b, "-%d", n)
	}
	for b.Len() < 24 {
		b.WriteByte('.')
	}
	return b.String()
}

// display publishes the values of the day, but for a few goods.
func (p *Player) display(ctx context.Context) error {
	type value struct {
		Good     string `json:"good"`
		Minor    int64  `json:"minor"`
		Currency string `json:"currency"`
		Unit     string `json:"unit"`
	}
	var in struct {
		Site   string  `json:"site"`
		Day    string  `json:"day"`
		Values []value `json:"values"`
	}
	in.Site, in.Day = playSite, stamp(p.day)
	for _, g := range p.world.Goods {
		if !g.Hidden {
			in.Values = append(in.Values, value{g.Code, g.Minor, g.Currency, g.Unit})
		}
	}
	return p.as(agreement.A, "customs").call(ctx, http.MethodPost, "/api/v1/values", p.key("values"), in, &struct{}{})
}

func (p *Player) enrol(ctx context.Context, i int) error {
	party := &p.plan.Parties[i]
	in := map[string]any{
		"document": documentOf(&party.Members[0]), "card": fmt.Sprintf("%s-%03d", party.Side, party.Vendor), "site": playSite,
		"from": "2025-01-01", "until": "2026-01-01", "suspended": party.Vendor%27 == 0,
	}
	return p.as(party.Side, "manager").call(ctx, http.MethodPost, "/api/v1/vendors", p.key("enrol", i), in, &struct{}{})
}

// slotOf returns the slot that a party wants.
func (p *Player) slotOf(i int) Opening {
	party := &p.plan.Parties[i]
	switch {
	case party.Vendor > 0:
		return p.world.Vendors[0]
	case party.Later:
		return p.world.Later[p.states[i].slot]
	}
	return p.world.Slots[p.states[i].slot]
}

func (p *Player) order(i int, slot booking.SlotID) map[string]any {
	party := &p.plan.Parties[i]
	var people []map[string]any
	for m := range party.Members {
		v := &party.Members[m]
		people = append(people, map[string]any{"name": v.Name, "document": documentOf(v), "age": v.Age, "children": v.Children})
	}
	return map[string]any{"slot": strconv.FormatUint(uint64(slot), 10), "people": people, "waits": party.Waits, "standing": party.Standing}
}

func (p *Player) book(ctx context.Context, i int) error {
	party := &p.plan.Parties[i]
	slot := p.slotOf(i)
	order, clerk := p.order(i, slot.ID), p.as(party.Side, "clerk")
	if party.Tests {
		test, err := p.testFor(ctx, i, slot)
		if err != nil {
			return err
		}
		if test != 0 {
			order["test"] = strconv.FormatUint(uint64(test), 10)
		}
	}
	var a bookingAnswer
	if err := clerk.call(ctx, http.MethodPost, "/api/v1/bookings", p.key("book", i), order, &a); err != nil {
		return err
	}
	if b := a.Booking; b != nil && b.Test != nil {
		p.mu.Lock()
		p.tally.tests += b.Test.Places
		p.mu.Unlock()
	}
	p.mu.Lock()
	p.tally.asked += party.People()
	p.tally.heard("booking", a.Verdict)
	p.mu.Unlock()
	p.keep(i, a.Booking)
	return nil
}

// keep remembers a booking as the server gave it.
func (p *Player) keep(i int, b *booked) {
	if b == nil {
		return
	}
	st := &p.states[i]
	st.ref, st.status, st.tested = b.Reference, b.Status, b.Test != nil
	for m := range b.Members {
		if m < len(st.passes) && b.Members[m].Pass != st.passes[m] {
			if st.passes[m] != "" {
				st.old[m] = st.passes[m]
			}
			st.passes[m] = b.Members[m].Pass
		}
	}
}

// bookAgain asks for a second place on the same day.
func (p *Player) bookAgain(ctx context.Context, i int) error {
	party := &p.plan.Parties[i]
	other := p.world.Slots[(p.states[i].slot+1)%len(p.world.Slots)]
	var a bookingAnswer
	if err := p.as(party.Side, "clerk").call(ctx, http.MethodPost, "/api/v1/bookings", p.key("again", i), p.order(i, other.ID), &a); err != nil {
		return err
	}
	p.mu.Lock()
	p.tally.heard("booking", a.Verdict)
	p.mu.Unlock()
	return nil
}

// change sends an act on the party's booking.
func (p *Player) change(ctx context.Context, i int, what string, in any) error {
	party, st := &p.plan.Parties[i], &p.states[i]
	if st.ref == "" {
		return nil
	}
	var a bookingAnswer
	if err := p.as(party.Side, "clerk").call(ctx, http.MethodPost, "/api/v1/bookings/"+st.ref+"/"+what, p.key(what, i), in, &a); err != nil {
		return err
	}
	p.mu.Lock()
	p.tally.acts[what]++
	p.tally.heard("booking", a.Verdict)
	p.mu.Unlock()
	p.keep(i, a.Booking)
	return nil
}

func (p *Player) cancel(ctx context.Context, i int) error {
	st := &p.states[i]
	had := slices.Clone(st.passes)
	if err := p.change(ctx, i, "cancel", struct{}{}); err != nil {
		return err
	}
	st.old = had
	return nil
}

func (p *Player) move(ctx context.Context, i int) error {
	st := &p.states[i]
	if st.status != "booked" {
		return nil
	}
	to := p.plan.Parties[i].MoveTo
	before := slices.Clone(st.passes)
	if err := p.change(ctx, i, "move", map[string]string{"to": strconv.FormatUint(uint64(p.world.Slots[to].ID), 10)}); err != nil {
		return err
	}
	if !slices.Equal(before, st.passes) {
		st.slot = to
	}
	return nil
}

// lookUp shows the party its booking and takes a place that is offered.
func (p *Player) lookUp(ctx context.Context, i int) error {
	st := &p.states[i]
	if st.status != "waiting" && st.status != "offered" {
		return nil
	}
	var b booked
	if err := p.as(p.plan.Parties[i].Side, "clerk").call(ctx, http.MethodGet, "/api/v1/bookings/"+st.ref, "", nil, &b); err != nil {
		return err
	}
	p.keep(i, &b)
	if b.Status == "offered" {
		return p.change(ctx, i, "accept", struct{}{})
	}
	return nil
}

func (p *Player) settle(ctx context.Context, side agreement.Side) error {
	var a struct {
		People  int `json:"people"`
		NoShows int `json:"no_shows"`
	}
	return p.as(side, "supervisor").call(ctx, http.MethodPost, "/api/v1/gate/settle", p.key("settle-"+string(side)),
		map[string]string{"site": playSite, "day": stamp(p.day)}, &a)
}
