// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// tally is what the simulated people saw of their day.
type tally struct {
	asked     int // places asked for
	stayed    int // people who stayed at home, for want of a place
	arrived   int // people at a gate
	admitted  int
	left      int
	scans     int
	lots      int // questions at the goods desk
	purchases int
	statutory int // purchases under the statutory tariff
	value     int64
	duty      int64
	unknown   int // purchases whose duty is owed and not known

	decidedIn, decidedBack int // scans that an officer decided

	offered, tests, tested, positive, isolated int      // tests at the health desk, by adults
	levels                                     []string // that were brought in

	acts     map[string]int // changes of bookings
	outcomes map[string]map[string]int
	reasons  map[string]map[string]int
	// unsaid counts answers that were not ALLOW and gave no reason.
	unsaid int
}

func newTally() tally {
	return tally{acts: map[string]int{}, outcomes: map[string]map[string]int{}, reasons: map[string]map[string]int{}}
}

// heard counts a verdict of a point.
func (t *tally) heard(point string, v verdict) {
	if t.outcomes[point] == nil {
		t.outcomes[point], t.reasons[point] = map[string]int{}, map[string]int{}
	}
	t.outcomes[point][v.Outcome]++
	if v.Outcome == "ALLOW" {
		return
	}
	said := false
	for _, r := range v.Reasons {
		if r.Outcome == v.Outcome {
			t.reasons[point][reasonKey(r.Outcome, r.Clause, r.Code)]++
			said = true
		}
	}
	if !said {
		t.unsaid++
	}
}

func (t *tally) bought(a buyAnswer) {
	t.purchases++
	t.value += a.Purchase.Value
	if a.Purchase.Regime == "statutory" {
		t.statutory++
	}
	if a.Purchase.Duty == nil {
		t.unknown++
	} else {
		t.duty += *a.Purchase.Duty
	}
}

// Figures are one side's day as its own server counted it.
type Figures struct {
	Peak     uint32
	PeakAt   time.Time
	Entries  uint32
	Exits    uint32
	Settled  uint32
	Doubles  uint32
	Inside   uint32
	NoShow   uint32
	Booked   uint32
	Standby  uint32
	Contact  uint64 // person-seconds
	Refused  uint32
	Referred uint32
}

// Result is a day that was played.
type Result struct {
	Seed     uint64
	Visitors int
	Vendors  int
	Sides    map[agreement.Side]Figures
	// Oversold are slots that took more than their allotment; there must be none.
	Oversold []string
	Took     time.Duration

	tally tally
	zone  *time.Location
}

// Result asks both sides how the day went.
func (p *Player) Result(ctx context.Context) (*Result, error) {
	r := &Result{Seed: p.demo.seed, Sides: map[agreement.Side]Figures{}, tally: p.tally, zone: p.day.Location()}
	for i := range p.plan.Parties {
		if party := &p.plan.Parties[i]; party.Vendor > 0 {
			r.Vendors++
		} else {
			r.Visitors += party.People()
		}
	}
	for _, side := range sides {
		var d struct {
			Here struct {
				Inside         uint32     `json:"inside"`
				Peak           uint32     `json:"peak"`
				PeakAt         *time.Time `json:"peak_at"`
				Entries        uint32     `json:"entries"`
				Exits          uint32     `json:"exits"`
				Settled        uint32     `json:"settled"`
				Refused        uint32     `json:"refused"`
				Referred       uint32     `json:"referred"`
				Doubles        uint32     `json:"doubles"`
				ContactSeconds uint64     `json:"contact_seconds"`
			} `json:"here"`
			Booked  uint32 `json:"booked"`
			Standby uint32 `json:"standby"`
			NoShow  uint32 `json:"no_show"`
		}
		if err := p.as(side, "supervisor").call(ctx, http.MethodGet, "/api/v1/days/"+playSite+"/"+stamp(p.day), "", nil, &d); err != nil {
			return nil, err
		}
		f := Figures{
			Peak: d.Here.Peak, Entries: d.Here.Entries, Exits: d.Here.Exits, Settled: d.Here.Settled, Doubles: d.Here.Doubles, Inside: d.Here.Inside,
			NoShow: d.NoShow, Booked: d.Booked, Standby: d.Standby, Contact: d.Here.ContactSeconds, Refused: d.Here.Refused, Referred: d.Here.Referred,
		}
		if d.Here.PeakAt != nil {
			f.PeakAt = *d.Here.PeakAt
		}
		r.Sides[side] = f
		over, err := p.oversold(ctx, side)
		if err != nil {
			return nil, err
		}
		r.Oversold = append(r.Oversold, over...)
	}
	return r, nil
}

// Check returns a problem where the day does not add up.
func (r *Result) Check() error {
	var wrong []string
	entries := uint32(0)
	for _, side := range sides {
		f := r.Sides[side]
		entries += f.Entries
		// Exits hold the settled ones.
		if f.Entries != f.Exits || f.Inside != 0 {
			wrong = append(wrong, fmt.Sprintf("side %s: %d entered, %d left (%d of them settled), %d inside after the day", side, f.Entries, f.Exits, f.Settled, f.Inside))
		}
	}
	if int(entries) != r.tally.admitted {
		wrong = append(wrong, fmt.Sprintf("%d people were let in, the gates counted %d", r.tally.admitted, entries))
	}
	if r.tally.unsaid > 0 {
		wrong = append(wrong, fmt.Sprintf("%d answers gave no reason", r.tally.unsaid))
	}
	for _, o := range r.Oversold {
		wrong = append(wrong, "sold above its allotment: "+o)
	}
	if len(wrong) > 0 {
		return problem.Newf(problem.Internal, "play.check", "the day does not add up: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// Table writes what happened. Only the last line depends on the machine.
func (r *Result) Table(out io.Writer) {
	t := r.tally
	fmt.Fprintf(out, "A market day at %s, %s: %d invented visitors, %d vendors, seed %d\n", playSite, DemoDay, r.Visitors, r.Vendors, r.Seed)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("\n\tside A\tside B\ttogether")
	row := func(name string, f func(Figures) int) {
		a, b := f(r.Sides[agreement.A]), f(r.Sides[agreement.B])
		line("%s\t%d\t%d\t%d", name, a, b, a+b)
	}
	row("places sold", func(f Figures) int { return int(f.Booked) })
	row("joined the queue", func(f Figures) int { return int(f.Standby) })
	row("no-shows", func(f Figures) int { return int(f.NoShow) })
	row("people in", func(f Figures) int { return int(f.Entries) })
	row("people out", func(f Figures) int { return int(f.Exits - f.Settled) })
	row("settled, never scanned out", func(f Figures) int { return int(f.Settled) })
	row("scans refused", func(f Figures) int { return int(f.Refused) })
	row("scans that an officer decided", func(f Figures) int { return int(f.Referred) })
	row("passes used twice", func(f Figures) int { return int(f.Doubles) })
	a, b := r.Sides[agreement.A], r.Sides[agreement.B]
	line("peak inside\t%d at %s\t%d at %s\t", a.Peak, r.clock(a.PeakAt), b.Peak, r.clock(b.PeakAt))
	line("contact-hours\t%d\t%d\t%d", a.Contact/3600, b.Contact/3600, a.Contact/3600+b.Contact/3600)
	line("\ndecisions at the gate\t%d let in\t%d turned back\t", t.decidedIn, t.decidedBack)
	var acts []string
	for _, k := range slices.Sorted(maps.Keys(t.acts)) {
		acts = append(acts, fmt.Sprintf("%s %d", k, t.acts[k]))
	}
	line("changes of bookings\t%s\t\t", strings.Join(acts, ", "))
	line("purchases\t%d\tworth USD %s\tduty USD %s", t.purchases, cents(t.value), cents(t.duty))
	line("diverted to the statutory tariff\t%d\tduty not known\t%d", t.statutory, t.unknown)
	line("\ntests at the health desk\t%d offered\t%d booked\t%d taken", t.offered, t.tests, t.tested)
	line("positive\t%d\tisolation\t%d", t.positive, t.isolated)
	line("changes of the level of protection\t%d\t\t", len(t.levels))
	w.Flush()
	for _, l := range t.levels {
		fmt.Fprintf(out, "  %s\n", l)
	}
	for _, point := range []string{"booking", "gate", "goods", "exit"} {
		var all []string
		for _, o := range slices.Sorted(maps.Keys(t.outcomes[point])) {
			all = append(all, fmt.Sprintf("%s %d", o, t.outcomes[point][o]))
		}
		fmt.Fprintf(out, "\nAnswers at the point %s: %s\n", point, strings.Join(all, ", "))
		w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, k := range slices.Sorted(maps.Keys(t.reasons[point])) {
			f := strings.Split(k, "\t")
			clause := f[1]
			if clause == "" {
				clause = "-"
			}
			fmt.Fprintf(w, "  %d\t%s\t%s\t%s\n", t.reasons[point][k], f[0], clause, f[2])
		}
		w.Flush()
	}
	fmt.Fprintf(out, "\nplayed in %.1f s, %d scans, %d questions at the goods desk\n", r.Took.Seconds(), t.scans, t.lots)
}

func (r *Result) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(r.zone).Format("15:04")
}

func cents(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// oversold lists the slots of the day of which a side sold more than it had.
func (p *Player) oversold(ctx context.Context, side agreement.Side) ([]string, error) {
	var over []string
	post := p.demo.Of(side).Post
	err := post.Reader().View(ctx, func(st service.State) error {
		for _, o := range slices.Concat(p.world.Slots, p.world.Vendors, p.world.Later) {
			if s, ok := st.Booking.Slots.Get(o.ID); ok && s.Taken+s.Withheld+s.Offered > s.Allotment+s.Excess {
				over = append(over, fmt.Sprintf("side %s, slot %d: %d of %d", side, o.ID, s.Taken+s.Withheld+s.Offered, s.Allotment))
			}
		}
		return nil
	})
	return over, err
}
