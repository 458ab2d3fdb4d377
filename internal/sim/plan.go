// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
)

// World is what a plan needs to know of the law and of the site.
type World struct {
	// Slots are the visitors' slots of the day, by time. Later are those of the next
	// market day, for people who come on the wrong one.
	Slots, Later []Opening
	// Vendors is the slot class of vendors, empty where they need none.
	Vendors []Opening
	Goods   []Good
}

// Opening is a slot with the places of each side.
type Opening struct {
	ID     booking.SlotID
	Minute int // of the day, at which it begins
	Until  int // of the day, by which its holders must have left
	Places map[agreement.Side]int
}

// Good is a good as the day's list of values has it.
type Good struct {
	Code     string
	Category string
	Unit     string
	Minor    int64 // value of one unit, in minor units of Currency
	Currency string
	Hidden   bool // no value is displayed today
}

// Trouble is what is out of the ordinary with one visitor.
type Trouble uint8

// The troubles, each of which a real market day has seen.
const (
	NoTrouble Trouble = iota
	Fever
	Symptoms
	NoDocument
	WrongDocument
	Altered
	NoPass // shows something that is no pass
	TwiceIn
	TooEarly
	TooLate
	WrongDay
	Withdrawn // gave the booking back and comes all the same
	NotComing
	NeverOut
)

// Visitor is one adult of the plan, with the children who travel along.
type Visitor struct {
	Kind, Country, Number string
	Name                  string
	Age                   int
	Children              int
	Trouble               Trouble
	Gate                  agreement.Side // at whose gate
	Arrive                int            // minute of the day
	Stay                  int            // minutes
	Lots                  []Lot
	Hurried               bool // shows the pass first and the document when asked
	Lucky                 bool // what an officer decides ends well
	Paper                 Paper
	Positive              bool // the test at the health desk is
}

// People is the adult and the children.
func (v *Visitor) People() int { return 1 + v.Children }

// Lot is something that a visitor wants to buy.
type Lot struct {
	Good     int
	Quantity int64 // thousandths
	After    int   // minutes after arriving
	Accept   bool  // takes a diverted lot at the statutory rate
	Settle   bool  // the officer decides a referred lot in the buyer's favour
}

// Party is one booking that somebody will ask for.
type Party struct {
	Side     agreement.Side
	Slot     int // into World.Slots, or World.Later for WrongDay
	Later    bool
	Members  []Visitor
	BookAt   int // minute, negative on the day before
	CancelAt int // minute, 0 for never
	MoveAt   int // minute, 0 for never
	MoveTo   int // into World.Slots
	Waits    bool
	Standing bool // takes a returned place without being asked
	Second   bool // asks for a second booking on the same day
	Vendor   int  // number of the card, 0 for a visitor
	Tests    bool // wants tests at the health desk with the places
}

// People is all who travel on the booking.
func (p *Party) People() int {
	n := 0
	for i := range p.Members {
		n += p.Members[i].People()
	}
	return n
}

// Plan is a day before it happens. The same seed and world make the same plan.
type Plan struct {
	Parties []Party
}

// MakePlan invents a day: so many visitors, children included, and so many vendors.
func MakePlan(seed uint64, w World, visitors, vendors int) Plan {
	g := &planner{rng: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), health: rand.New(rand.NewPCG(seed, 19)), world: w, numbers: map[string]bool{}}
	var p Plan
	for n := 1; n <= vendors; n++ {
		p.Parties = append(p.Parties, g.vendor(n))
	}
	for left := visitors; left > 0; {
		party := g.party(left)
		left -= party.People()
		p.Parties = append(p.Parties, party)
	}
	for i := range p.Parties {
		g.papers(&p.Parties[i])
	}
	infect(p.Parties, w)
	// People ask for places in the order of their wishes' times; equal times keep their order.
	slices.SortStableFunc(p.Parties, func(a, b Party) int { return a.BookAt - b.BookAt })
	return p
}

type planner struct {
	rng     *rand.Rand
	health  *rand.Rand // of papers and tests
	world   World
	numbers map[string]bool
}

// chance is true in n of 1,000 cases.
func (g *planner) chance(n int) bool { return g.rng.IntN(1000) < n }

// between returns a number from a to b, both included.
func (g *planner) between(a, b int) int {
	if b <= a {
		return a
	}
	return a + g.rng.IntN(b-a+1)
}

func (g *planner) side() agreement.Side {
	if g.chance(620) {
		return agreement.A
	}
	return agreement.B
}

func (g *planner) vendor(n int) Party {
	side := agreement.A
	if n%3 == 0 {
		side = agreement.B
	}
	v := g.person(side)
	v.Trouble, v.Gate = NoTrouble, side
	p := Party{Side: side, Vendor: n, BookAt: g.between(-100, -80) * 10}
	if len(g.world.Vendors) > 0 {
		o := g.world.Vendors[0]
		v.Arrive, v.Stay = o.Minute+g.between(0, 45), o.Until-o.Minute-g.between(60, 120)
	}
	v.Stay = max(v.Stay, 30)
	p.Members = []Visitor{v}
	return p
}

func (g *planner) party(left int) Party {
	p := Party{Side: g.side(), BookAt: g.between(-72, -20) * 10, Waits: g.chance(600), Standing: g.chance(500)}
	if g.chance(120) {
		p.BookAt = g.between(66, 96) * 5 // on the morning itself
	}
	// Most want to come early, when the goods are fresh.
	n := len(g.world.Slots)
	p.Slot = min(g.rng.IntN(n), g.rng.IntN(n))
	if p.BookAt > 0 {
		p.Slot = min(n-1, max(p.Slot, n/3))
	}
	adults := 1
	switch r := g.rng.IntN(100); {
	case r < 24:
		adults = 2
	case r < 30:
		adults = 3
	case r < 32:
		adults = 4
	}
	slot := g.world.Slots[p.Slot]
	base := slot.Minute + g.between(0, 25)
	other := g.chance(110) // at the other side's gate
	for i := 0; i < adults && i < left; i++ {
		v := g.person(p.Side)
		if v.Age >= 25 && g.chance(170) {
			v.Children = min(g.between(1, 3), left-i-1)
		}
		left -= v.Children
		v.Gate = p.Side
		if other {
			v.Gate = p.Side.Other()
		}
		v.Arrive = (base + g.between(0, 4)) / 2 * 2
		v.Hurried, v.Lucky = g.chance(150), g.chance(600)
		v.Stay = g.between(40, 170)
		v.Trouble = g.trouble()
		switch v.Trouble {
		case TooEarly:
			v.Arrive = slot.Minute - g.between(61, 100)
		case TooLate:
			v.Arrive = slot.Minute + g.between(150, 210)
		}
		v.Lots = g.lots(&v)
		p.Members = append(p.Members, v)
	}
	// What concerns the booking concerns all of it.
	switch r := g.rng.IntN(1000); {
	case r < 35:
		p.CancelAt = slot.Minute - g.between(60, 240)
		if p.CancelAt <= p.BookAt+5 {
			p.CancelAt = p.BookAt + 6
		}
		all := NotComing
		if g.chance(250) {
			all = Withdrawn
		}
		for i := range p.Members {
			p.Members[i].Trouble = all
		}
	case r < 60:
		for i := range p.Members {
			p.Members[i].Trouble = NotComing
		}
	case r < 72 && len(g.world.Later) > 0:
		p.Later, p.Slot = true, p.Slot%len(g.world.Later)
		for i := range p.Members {
			p.Members[i].Trouble = WrongDay
		}
	case r < 92:
		p.Second = true
	case r < 115 && p.Slot+2 < n && p.BookAt < 0:
		// Moves to a later hour before the day, and comes then.
		p.MoveAt, p.MoveTo = p.BookAt+g.between(1, 15)*10, p.Slot+g.between(1, 2)
		for i := range p.Members {
			p.Members[i].Arrive += g.world.Slots[p.MoveTo].Minute - slot.Minute
		}
	}
	return p
}

func (g *planner) trouble() Trouble {
	switch r := g.rng.IntN(1000); {
	case r < 9:
		return Fever
	case r < 14:
		return Symptoms
	case r < 24:
		return NoDocument
	case r < 29:
		return WrongDocument
	case r < 34:
		return Altered
	case r < 39:
		return NoPass
	case r < 47:
		return TwiceIn
	case r < 55:
		return TooEarly
	case r < 63:
		return TooLate
	case r < 75:
		return NotComing
	case r < 95:
		return NeverOut
	}
	return NoTrouble
}

// lots invents what somebody wants to buy: mostly a little, sometimes too much.
func (g *planner) lots(v *Visitor) []Lot {
	if len(g.world.Goods) == 0 || g.chance(180) {
		return nil
	}
	n := 1 + min(g.rng.IntN(4), g.rng.IntN(4))
	spends := g.chance(70) // most of the day's allowance, and then some more
	if spends {
		n = 3
	}
	var lots []Lot
	after := 10
	for range n {
		good := g.rng.IntN(len(g.world.Goods))
		unit := max(g.world.Goods[good].Minor, 1)
		worth := g.between(300, 2400) // minor units
		switch {
		case spends:
			worth = g.between(3200, 4900)
		case g.chance(60):
			worth = g.between(5100, 9000) // over the category
		case g.chance(80):
			worth = g.between(3500, 4900) // several of these are over the day
		}
		quantity := max(int64(worth)*1000/unit/500*500, 500)
		if g.world.Goods[good].Unit == "piece" || g.world.Goods[good].Unit == "u" {
			quantity = max(quantity/1000*1000, 1000)
		}
		after += g.between(4, max(5, v.Stay/5))
		lots = append(lots, Lot{Good: good, Quantity: quantity, After: min(after, v.Stay-2), Accept: g.chance(450), Settle: g.chance(700)})
	}
	return lots
}

// person invents somebody of a side's country.
func (g *planner) person(side agreement.Side) Visitor {
	v := Visitor{Age: g.between(19, 70)}
	for {
		if side == agreement.A {
			v.Kind, v.Country = "cnic", "PAK"
			v.Number = fmt.Sprintf("5%04d%07d%d", g.between(1101, 6499), g.rng.IntN(10_000_000), g.between(1, 9))
			v.Name = namesA[0][g.rng.IntN(len(namesA[0]))] + " " + namesA[1][g.rng.IntN(len(namesA[1]))]
		} else {
			v.Kind, v.Country = "national-id", "IRN"
			v.Number = iranian(g.rng.IntN(900_000_000) + 50_000_000)
			v.Name = namesB[0][g.rng.IntN(len(namesB[0]))] + " " + namesB[1][g.rng.IntN(len(namesB[1]))]
			if g.chance(250) {
				v.Kind = "passport"
				v.Number = fmt.Sprintf("%c%08d", 'A'+g.rng.IntN(26), g.rng.IntN(100_000_000))
			}
		}
		if key := v.Kind + v.Number; !g.numbers[key] {
			g.numbers[key] = true
			return v
		}
	}
}

// iranian makes a national number of nine digits and the digit that checks them.
func iranian(nine int) string {
	s := fmt.Sprintf("%09d", nine)
	sum := 0
	for i := range 9 {
		sum += int(s[i]-'0') * (10 - i)
	}
	check := sum % 11
	if check >= 2 {
		check = 11 - check
	}
	return fmt.Sprintf("%s%d", s, check)
}
