// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"embed"
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// reopening is the agreement package of the scenario: an example, not law.
//
//go:embed reopening
var reopening embed.FS

// A ReopenStep is one line of the scenario: what happened on a day.
type ReopenStep struct {
	On     calendar.Date
	Source string // line of the facts on which it stands, empty where the scenario adds it
	What   string
}

// A Reopening is what came of the scenario.
type Reopening struct {
	Steps []ReopenStep
	// First is how many crossed on the first day of trade, Waited how many held bookings
	// when the plan began, Places how many an open day has.
	First, Waited, Places int
	// Crossed is how many of those who waited crossed on each open day, in order.
	Crossed []DayCount
	// Ends is the day that the plan published for the end of the backlog, Last the day on
	// which the last of them crossed.
	Ends, Last calendar.Date
	// NoShows and Cancelled are bookings that the closure cost: none.
	NoShows, Cancelled int
	// Disordered is how many crossed on an earlier day than somebody before them: none.
	Disordered int
	Daily      int // crossed on the first day on which it was open every day
	// Perishable is the site that was offered first to a load that perishes.
	Perishable string
}

// DayCount is how many crossed on a day.
type DayCount struct {
	On calendar.Date
	N  int
}

// reopener plays the two sides.
type reopener struct {
	law   *rules.Law
	now   time.Time
	zone  *time.Location
	sides map[agreement.Side]*service.Mem
	n     uint64
	out   Reopening
}

// site, cargo and perishable are numbers in the package of the scenario.
const (
	reopenSite       = 1
	reopenCargo      = 1
	reopenPerishable = 2
)

// Reopen plays the closure of one crossing in 2020 and its reopening in stages through the
// services of both sides, which hear of each other what the exchange would carry. The dates
// and numbers are those of press reports, and each step names its line.
func Reopen() (Reopening, error) {
	sub, err := fs.Sub(reopening, "reopening")
	if err != nil {
		return Reopening{}, err
	}
	e, err := agreement.Load(sub)
	if err != nil {
		return Reopening{}, err
	}
	law, err := rules.Compile(e)
	if err != nil {
		return Reopening{}, err
	}
	r := &reopener{law: law, zone: law.Zone("mirjaveh-taftan"), sides: map[agreement.Side]*service.Mem{}}
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		r.sides[side] = service.Memory(side, func() *rules.Law { return r.law }, func() time.Time { return r.now })
	}
	err = r.play()
	return r.out, err
}

func (r *reopener) at(day string, minute calendar.Minute) calendar.Date {
	d := calendar.MustDate(day)
	r.now = d.At(minute, r.zone).UTC()
	return d
}

func (r *reopener) say(d calendar.Date, source, format string, args ...any) {
	r.out.Steps = append(r.out.Steps, ReopenStep{d, source, fmt.Sprintf(format, args...)})
}

// ask runs a command at a side and decodes its answer.
func ask[A any](r *reopener, side agreement.Side, c service.Command) (a A, err error) {
	d, err := r.sides[side].Do(context.Background(), service.Idem{}, c)
	if err == nil {
		err = service.NewCodec().Unmarshal(d.Answer, &a)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", c.CommandKind(), err)
	}
	return a, err
}

// tell lets each side hear what the other has closed and signed.
func (r *reopener) tell() error {
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		var list []service.SiteClosures
		err := r.sides[side].View(context.Background(), func(st service.State) error {
			list = service.ClosuresFor(st, r.law, side, r.now)
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := ask[service.HearClosuresAnswer](r, side.Other(), service.HearClosures{Sites: list}); err != nil {
			return err
		}
	}
	return nil
}

func (r *reopener) id() (id [16]byte) {
	r.n++
	binary.BigEndian.PutUint64(id[8:], r.n)
	id[0] = 1
	return id
}

// sell books one vehicle.
func (r *reopener) sell(side agreement.Side, slot booking.SlotID) (service.BookingAnswer, error) {
	ref := []byte("000000000000")
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	r.n++
	for i, n := len(ref)-1, r.n; n > 0; i, n = i-1, n/32 {
		ref[i] = letters[n%32]
	}
	m := service.NewMember{Tag: r.id(), Binding: r.id(), Register: r.id(), Document: "passport", Age: 40}
	binary.BigEndian.PutUint64(m.Pass[:], r.n)
	return ask[service.BookingAnswer](r, side, service.Book{Ref: booking.Ref(ref), Slot: slot, Members: []service.NewMember{m}})
}

// sellOn books so many vehicles of a class on a day, half at each side, hour by hour.
func (r *reopener) sellOn(d calendar.Date, class uint8, n int) (sold []vehicle, err error) {
	for _, p := range r.law.Slots(reopenSite, rules.DayNumber(d), class) {
		for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
			for len(sold) < n {
				a, err := r.sell(side, booking.MakeSlotID(p.Site, p.Class, p.Day, p.Minute))
				if err != nil {
					return sold, err
				}
				if a.Booking.Ref == "" {
					break // full, or not to be had
				}
				sold = append(sold, vehicle{side, a.Booking.Ref})
			}
		}
	}
	return sold, nil
}

// vehicle is one booking of a side.
type vehicle struct {
	side agreement.Side
	ref  booking.Ref
}

func (r *reopener) booking(v vehicle) (b booking.Booking) {
	_ = r.sides[v.side].View(context.Background(), func(st service.State) error {
		b, _ = service.BookingOf(st, v.ref)
		return nil
	})
	return b
}

// move gives a vehicle that waits the first place that it is offered; false where it has
// none within the days that can be booked.
func (r *reopener) move(v vehicle) (bool, error) {
	var offers []service.SlotView
	err := r.sides[v.side].View(context.Background(), func(st service.State) error {
		b, _ := service.BookingOf(st, v.ref)
		offers, _ = service.OffersFor(st, r.law, v.side, b, r.now, 1)
		return nil
	})
	if err != nil || len(offers) == 0 {
		return false, err
	}
	a, err := ask[service.BookingAnswer](r, v.side, service.Move{Ref: v.ref, To: offers[0].ID, Tags: [][16]byte{r.id()}})
	return a.Verdict.Outcome == reason.Allow, err
}

// cross lets every vehicle of a list that has a place on the day come to its side's gate.
func (r *reopener) cross(d calendar.Date, list []vehicle) (n int, err error) {
	day := rules.DayNumber(d)
	for _, v := range list {
		b := r.booking(v)
		if b.Slot.Day() != day || b.Status != booking.Booked {
			continue
		}
		r.now = d.At(calendar.Minute(b.Slot.Minute())+1, r.zone).UTC()
		c, ok := service.PassClaims(r.law, v.side, b, 0)
		if !ok {
			return n, fmt.Errorf("sim: no pass for %s", b.Ref)
		}
		at := uint16(1)
		if v.side == agreement.B {
			at = 2
		}
		a, err := ask[service.ScanAnswer](r, v.side, service.Scan{Site: reopenSite, Gate: at, Direction: gate.In, Officer: "gate", Claims: c, Match: service.Fits})
		if err != nil {
			return n, err
		}
		if a.Verdict.Outcome == reason.Allow {
			n++
		}
	}
	return n, nil
}

// settle ends a day at both sides, with all who had a place on it.
func (r *reopener) settle(d calendar.Date, list []vehicle) error {
	r.now = d.At(calendar.Minute(23*60), r.zone).UTC()
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		c := service.Settle{Site: reopenSite, Day: rules.DayNumber(d), Officer: "supervisor"}
		for _, v := range list {
			if v.side == side {
				c.Bookings = append(c.Bookings, v.ref)
			}
		}
		a, err := ask[service.SettleAnswer](r, side, c)
		if err != nil {
			return err
		}
		r.out.NoShows += int(a.NoShows)
	}
	return nil
}

// plan lets side A propose a plan and side B sign it.
func (r *reopener) plan(waiting int, stages ...closure.Stage) (closure.Plan, error) {
	p, err := ask[service.PlanAnswer](r, agreement.A, service.ProposePlan{Site: reopenSite, Classes: []string{"cargo"}, Direction: "in", Stages: stages, Waiting: uint32(waiting), Officer: "supervisor"})
	if err == nil && p.Plan.Name.Number == 0 {
		err = fmt.Errorf("sim: the plan is refused: %v", p.Verdict.Reasons)
	}
	if err == nil {
		err = r.tell()
	}
	if err != nil {
		return closure.Plan{}, err
	}
	a, err := ask[service.AcceptPlanAnswer](r, agreement.B, service.AcceptPlan{Site: reopenSite, Number: p.Plan.Name.Number, Digest: p.Plan.Is.Digest(agreement.A), Officer: "supervisor"})
	if err == nil && !a.Signed {
		err = fmt.Errorf("sim: the plan is not signed: %v", a.Verdict.Reasons)
	}
	if err == nil {
		err = r.tell()
	}
	return p.Plan.Is, err
}

func (r *reopener) suspend(clause string) error {
	a, err := ask[service.SuspendAnswer](r, agreement.A, service.Suspend{Site: reopenSite, Direction: "in", Clause: clause, Cause: "health", Officer: "supervisor"})
	if err == nil && a.Act.Number == 0 {
		err = fmt.Errorf("sim: the act is refused: %v", a.Verdict.Reasons)
	}
	if err == nil {
		err = r.tell()
	}
	return err
}

func (r *reopener) play() error {
	r.at("2020-02-20", 9*60)
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		for _, role := range []people.Role{people.Supervisor, people.GateOfficer} {
			o := people.Officer{ID: people.OfficerID(role), Login: string(role), Roles: []people.Role{role}, Active: true, Language: "en"}
			if _, err := ask[service.AppointAnswer](r, side, service.Appoint{Officer: o}); err != nil {
				return err
			}
		}
	}
	// The first vehicles have places on 24 February; a load that perishes among them.
	early, err := r.sellOn(calendar.MustDate("2020-02-24"), reopenCargo, 35)
	if err != nil {
		return err
	}
	fresh, err := r.sellOn(calendar.MustDate("2020-02-24"), reopenPerishable, 1)
	if err != nil {
		return err
	}
	d := r.at("2020-02-23", 12*60)
	if err := r.suspend("EMERGENCY"); err != nil {
		return err
	}
	r.say(d, "P01", "side A closes at once, by the clause of emergencies; the act lapses after 14 days; 36 bookings of the next day stand")
	err = r.sides[agreement.A].View(context.Background(), func(st service.State) error {
		b, _ := service.BookingOf(st, fresh[0].ref)
		if offers, ok := service.OffersFor(st, r.law, agreement.A, b, r.now, 1); ok && len(offers) > 0 {
			e, _ := r.law.EditionFor(offers[0].ID.Site(), r.now)
			s, _ := e.SiteNumbered(offers[0].ID.Site())
			r.out.Perishable = s.ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.say(d, "", "a perishable load is offered the nearest open site first: %s", r.out.Perishable)
	if err := r.settle(calendar.MustDate("2020-02-24"), early); err != nil {
		return err
	}

	d = r.at("2020-03-07", 7*60)
	if _, err := ask[service.LiftAnswer](r, agreement.A, service.Lift{Site: reopenSite, Number: 1, Officer: "supervisor"}); err != nil {
		return err
	}
	if err := r.tell(); err != nil {
		return err
	}
	for _, v := range early {
		if _, err := r.move(v); err != nil {
			return err
		}
	}
	if r.out.First, err = r.cross(d, early); err != nil {
		return err
	}
	r.say(d, "P02", "first trade after 13 days: %d vehicles cross, each with the place that it had kept", r.out.First)

	// Vehicles go on booking, and the crossing is closed again, with notice and no end. No
	// report says what lay between 7 March and 11 May; that it was closed is the scenario's.
	d = r.at("2020-03-08", 9*60)
	var waiting []vehicle
	for day := calendar.MustDate("2020-03-16"); len(waiting) < 600; day = day.AddDays(1) {
		more, err := r.sellOn(day, reopenCargo, min(100, 600-len(waiting)))
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return fmt.Errorf("sim: nothing is sold on %s", day)
		}
		waiting = append(waiting, more...)
	}
	if err := r.suspend("NOTICE"); err != nil {
		return err
	}
	r.say(d, "", "the crossing is closed again with a day's notice; 600 vehicles have places from 16 March on")
	for day := calendar.MustDate("2020-03-16"); day.Before(calendar.MustDate("2020-03-22")); day = day.AddDays(1) {
		if err := r.settle(day, waiting); err != nil {
			return err
		}
	}
	return r.stages(waiting)
}

// stages opens the crossing by a plan.
func (r *reopener) stages(waiting []vehicle) error {
	r.out.Places = 50
	d := r.at("2020-05-11", 9*60)
	first, daily := calendar.MustDate("2020-05-13"), calendar.MustDate("2020-06-19")
	days := []uint8{uint8(time.Saturday), uint8(time.Monday), uint8(time.Wednesday)}
	for _, v := range waiting {
		if b := r.booking(v); b.Status == booking.Booked {
			r.out.Waited++
		} else if b.Status == booking.Cancelled {
			r.out.Cancelled++
		}
	}
	plan, err := r.plan(r.out.Waited, closure.Stage{From: first, Days: days, Places: uint32(r.out.Places)}, closure.Stage{From: daily, Places: 600})
	if err != nil {
		return err
	}
	end, err := plan.End()
	if err != nil {
		return err
	}
	r.out.Ends = end.On
	r.say(d, "P07", "both sides sign a plan: Saturday, Monday and Wednesday, 08:00 to 14:00")
	r.say(first, "P08 P09", "%d vehicles wait, %d may cross on an open day; all will have crossed by %s, after %d open days of %d", r.out.Waited, r.out.Places, end.On, end.OpenDays, end.Days)
	// Who waits is given a place as its turn comes within the days that can be booked.
	next, before := 0, calendar.Date{}
	for day := d; day.Before(daily); day = day.AddDays(1) {
		r.now = day.At(calendar.Minute(7*60), r.zone).UTC()
		for ; next < len(waiting); next++ {
			ok, err := r.move(waiting[next])
			if err != nil {
				return err
			}
			if !ok {
				break
			}
		}
		n, err := r.cross(day, waiting)
		if err != nil {
			return err
		}
		if n > 0 {
			r.out.Crossed = append(r.out.Crossed, DayCount{day, n})
			r.out.Last = day
		}
	}
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		before = calendar.Date{}
		for _, v := range waiting {
			if v.side != side {
				continue
			}
			on := rules.DayDate(r.booking(v).Slot.Day())
			if on.Before(before) {
				r.out.Disordered++
			}
			before = on
		}
	}
	r.say(r.out.Last, "", "the last of those who waited crosses: %d open days, nobody was a no-show, nothing was cancelled", len(r.out.Crossed))
	r.at("2020-06-18", 9*60)
	list, err := r.sellOn(daily, reopenCargo, 45)
	if err != nil {
		return err
	}
	if r.out.Daily, err = r.cross(daily, list); err != nil {
		return err
	}
	r.say(daily, "P11", "open every day again: %d vehicles cross on the first day", r.out.Daily)
	slices.SortStableFunc(r.out.Steps, func(a, b ReopenStep) int { return a.On.Compare(b.On) })
	return nil
}
