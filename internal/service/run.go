// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

func (tx *Tx) record(facts []fact.Fact) {
	for _, f := range facts {
		tx.Record(f)
	}
}

func (tx *Tx) booking() booking.Desk {
	return booking.Desk{State: tx.Booking, Levels: tx.Levels, Intake: tx.Intake, Closures: tx.Closures, Law: tx.Law, Side: tx.Side, Now: tx.Now, Gates: tx, Answers: &tx.answers}
}

// returned gives the free places of slots to those who wait. One round is enough: what
// is left goes at the next sweep.
func (tx *Tx) returned(slots ...booking.SlotID) (n uint32, more bool) {
	for i, s := range slots {
		if i > 0 && s == slots[i-1] {
			continue
		}
		facts, m := tx.booking().DecideReturn(s, func(b booking.Booking) []bool { return tx.vendors(b, b.Slot) })
		tx.record(facts)
		for _, f := range facts {
			switch f.(type) {
			case *booking.OfferMade, *booking.Granted:
				n++
			}
		}
		more = more || m
	}
	return n, more
}

// answer is how a booking stands after a command.
func (tx *Tx) answer(ref booking.Ref, v rules.Verdict) BookingAnswer {
	b, _ := tx.Booking.Bookings.Get(ref)
	return BookingAnswer{Verdict: v, Booking: b}
}

// clerk checks an officer who books for others. A traveller, or a program on their
// behalf, is no officer and needs no right but the reference.
func (tx *Tx) clerk(id people.OfficerID, site uint16) error {
	if err := tx.whole(); err != nil || id == "" {
		return err
	}
	_, err := tx.acting(id, site, mayBook)
	return err
}

// Run decides who gets places, and records it. The sealed data is kept only where the
// booking is.
func (c Book) Run(tx *Tx) (any, error) {
	if err := tx.clerk(c.Officer, c.Slot.Site()); err != nil {
		return nil, err
	}
	r := booking.Request{Ref: c.Ref, Slot: c.Slot, Waits: c.Waits, Standing: c.Standing, By: string(c.Officer), Sealed: c.SealedID, Test: c.Test}
	r.Members = make([]booking.Member, len(c.Members))
	r.Vendors = make([]bool, len(c.Members))
	for i, m := range c.Members {
		r.Members[i] = booking.Member{Pass: m.Pass, Tag: m.Tag, Binding: m.Binding, Register: m.Register,
			Document: m.Document, Country: m.Country, Age: m.Age, Children: m.Children}
		r.Vendors[i] = tx.Market.Enrolled(m.Register, c.Slot.Site(), c.Slot.Day())
		if m.Shown.Any() {
			if !m.Shown.Possible() {
				return nil, problem.Field("members", "booking.shown")
			}
			if r.Shown == nil {
				r.Shown = make([]rules.Shown, len(c.Members))
			}
			r.Shown[i] = m.Shown
		}
	}
	facts, v, err := tx.booking().DecideBook(r)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	b, made := tx.Booking.Bookings.Get(c.Ref)
	switch { // what is not to be had here may be free with the other side
	case made && b.Status == booking.Waiting:
		tx.record(tx.booking().DecideAsk(c.Slot, 0))
	case slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Code == booking.CodeFull }):
		tx.record(tx.booking().DecideAsk(c.Slot, members(r.Members)))
	}
	refusal, _ := tx.Booking.Refusals.Get(c.Ref)
	if (made || refusal.Open()) && c.SealedID != "" {
		tx.Sealed.Put(c.SealedID, c.Sealed)
	}
	if made && b.Status == booking.Waiting {
		tx.returned(c.Slot)
		b, _ = tx.Booking.Bookings.Get(c.Ref)
	}
	return BookingAnswer{Verdict: v, Booking: b, Refusal: refusal}, nil
}

func members(ms []booking.Member) uint32 { return booking.Booking{Members: ms}.Places() }

// Run ends a request that was left to an officer, by one who has the role that its
// clauses name.
func (c DecideBooking) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	r, ok := tx.Booking.Refusals.Get(c.Ref)
	o, err := tx.acting(c.Officer, r.Slot.Site(), mayRule)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := tx.decider(o, people.Clerk, r.Reasons); err != nil {
			return nil, err
		}
	}
	vendors := tx.vendors(booking.Booking{Members: r.Members}, r.Slot)
	facts, v, err := tx.booking().DecideRuling(booking.Ruling{Ref: c.Ref, Admit: c.Admit, Why: c.Why, Officer: string(c.Officer), Vendors: vendors})
	if err != nil {
		return nil, err
	}
	if err := tx.decider(o, people.Clerk, v.Reasons); c.Admit && err != nil { // what the law leaves open by now
		return nil, err
	}
	tx.record(facts)
	a := tx.answer(c.Ref, v)
	a.Refusal, _ = tx.Booking.Refusals.Get(c.Ref)
	return a, nil
}

// Run gives a booking back, and what comes back to those who wait.
func (c Cancel) Run(tx *Tx) (any, error) {
	b, err := tx.mine(c.Ref, c.Officer)
	if err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideCancel(c.Ref, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		tx.returned(b.Slot)
	}
	return tx.answer(c.Ref, v), nil
}

// mine returns a booking with the rights of whoever asks checked.
func (tx *Tx) mine(ref booking.Ref, officer people.OfficerID) (booking.Booking, error) {
	b, ok := tx.Booking.Bookings.Get(ref)
	if err := tx.clerk(officer, b.Slot.Site()); err != nil {
		return b, err
	}
	if !ok {
		return b, problem.New(problem.NotFound, "booking.unknown")
	}
	return b, nil
}

// vendors says of each member whether they hold a card that is good on a slot's day.
func (tx *Tx) vendors(b booking.Booking, slot booking.SlotID) []bool {
	out := make([]bool, len(b.Members))
	for i, m := range b.Members {
		out[i] = tx.Market.Enrolled(m.Register, slot.Site(), slot.Day())
	}
	return out
}

// Run moves a booking, or leaves it where it is.
func (c Move) Run(tx *Tx) (any, error) {
	b, err := tx.mine(c.Ref, c.Officer)
	if err != nil {
		return nil, err
	}
	if err := tx.clerk(c.Officer, c.To.Site()); err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideMove(booking.MoveRequest{Ref: c.Ref, To: c.To, Tags: c.Tags,
		Vendors: tx.vendors(b, c.To), By: string(c.Officer), Test: c.Test})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		tx.returned(b.Slot)
	}
	return tx.answer(c.Ref, v), nil
}

// Run books a test for a booking, or gives it back.
func (c BookTest) Run(tx *Tx) (any, error) {
	b, err := tx.mine(c.Ref, c.Officer)
	if err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideTest(booking.TestRequest{Ref: c.Ref, Slot: c.Slot, Vendors: tx.vendors(b, b.Slot), By: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.answer(c.Ref, v), nil
}

// Run takes an offered place.
func (c Accept) Run(tx *Tx) (any, error) {
	b, err := tx.mine(c.Ref, c.Officer)
	if err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideAccept(c.Ref, tx.vendors(b, b.Slot), string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.answer(c.Ref, v), nil
}

// Run lets an offered place go.
func (c Decline) Run(tx *Tx) (any, error) {
	b, err := tx.mine(c.Ref, c.Officer)
	if err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideDecline(c.Ref, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		tx.returned(b.Slot)
	}
	return tx.answer(c.Ref, v), nil
}

// Run makes a new pass and withdraws the old one.
func (c Reissue) Run(tx *Tx) (any, error) {
	if _, err := tx.mine(c.Ref, c.Officer); err != nil {
		return nil, err
	}
	facts, v, err := tx.booking().DecideReissue(c.Ref, c.Member, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.answer(c.Ref, v), nil
}

// Run does what time alone brings to the slots, and goes on with freeing places that
// the other side has heard of.
func (c Sweep) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	var a SweepAnswer
	acks, _ := tx.Booking.Acks.Get(0)
	freed, slots, more := tx.booking().DecideHeard(booking.Ack{List: acks.List})
	a.More = more
	a.Freed = tx.freed(freed)
	for _, s := range append(slots, c.Slots...) {
		facts, more := tx.booking().DecideSweep(s)
		for _, f := range facts {
			switch f.(type) {
			case *booking.RanOut:
				a.Lapsed++
			case *booking.PassesEnded:
				row, _ := tx.Booking.Slots.Get(s)
				a.Freed += row.Withheld
			}
		}
		tx.record(facts)
		n, left := tx.returned(s)
		a.Offered += n
		a.More = a.More || more || left
		tx.transferred(s)
	}
	return a, nil
}

// freed records what DecideHeard decided and returns how many places came back.
func (tx *Tx) freed(facts []fact.Fact) (n uint32) {
	for _, f := range facts {
		if f, ok := f.(*booking.Freed); ok {
			for s := f.From; s <= f.To; s++ {
				if w, ok := tx.Booking.Withdrawals.Get(s); ok && !w.Freed {
					n += w.Places
				}
			}
		}
		tx.Record(f)
	}
	return n
}

// Run records how far the other side has heard, and frees the places.
func (c Acknowledge) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	facts, slots, _ := tx.booking().DecideHeard(booking.Ack{List: c.List, Serial: c.Serial, Used: c.Used})
	tx.record(facts)
	for _, s := range slots {
		tx.returned(s)
	}
	a, _ := tx.Booking.Acks.Get(0)
	return AcknowledgeAnswer{Heard: a.Heard, FreedTo: a.FreedTo}, nil
}

// Run records the other side's figures.
func (c OtherFigures) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Figures.Free) > 2000 {
		return nil, problem.New(problem.Limit, "stats.figures")
	}
	facts := tx.Stats.DecideHeard(c.Site, c.Day, c.Figures, tx.Now)
	tx.record(facts)
	return OtherFiguresAnswer{Kept: len(facts) > 0}, nil
}

// login keeps what an officer signs in with, beside the sealed data and in no fact.
func (tx *Tx) login(id people.OfficerID, login string) {
	old, _ := tx.Sealed.Get(loginOfKey(id))
	if string(old) == login {
		return
	}
	if len(old) > 0 {
		tx.Sealed.Delete(loginKey(string(old)))
	}
	tx.Sealed.Put(loginKey(login), []byte(id))
	tx.Sealed.Put(loginOfKey(id), []byte(login))
}

// Run makes or changes an officer. The login, the sealed name and the verifier of the
// sign-in word are in no fact, and the login not in the answer that is kept.
func (c Appoint) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	o := c.Officer
	first := c.By == o.ID && o.Has(people.Admin) && len(tx.People.All()) == 0
	if c.By != "" && !first {
		if _, err := tx.acting(c.By, 0, mayAppoint); err != nil {
			// Officers change their own sign-in word, and nothing else of themselves.
			own, ok := tx.People.Officers.Get(c.By)
			if !ok || !own.Active || o.ID != c.By || c.Word == "" {
				return nil, err
			}
			o, c.SealedID, c.Given = OfficerFilled(tx.State, own), "", false
		}
	}
	if c.SealedID != "" {
		o.Sealed = c.SealedID
	}
	if o.Site != "" {
		if _, ok := tx.Law.Edition(tx.Now); ok && len(tx.Law.EditionsAt(o.Site, tx.Now)) == 0 {
			return nil, problem.Field("site", "officer.site.unknown")
		}
	}
	holder, _ := tx.Sealed.Get(loginKey(o.Login))
	facts, err := tx.People.DecideAppoint(o, c.By, people.OfficerID(holder))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.login(o.ID, o.Login)
	if c.SealedID != "" {
		tx.Sealed.Put(c.SealedID, c.Sealed)
	}
	if c.Word != "" {
		word := c.Word
		if c.Given {
			word = givenWord + word
		}
		tx.Sealed.Put(wordKey(o.ID), []byte(word))
	}
	o, _ = tx.People.Officers.Get(o.ID)
	return AppointAnswer{Officer: o}, nil
}
