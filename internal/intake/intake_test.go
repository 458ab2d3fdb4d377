// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/table"
)

func noon() time.Time { return time.Date(2025, 9, 2, 7, 0, 0, 0, time.UTC) }

// tuesday is a slot of 60 places from 9 to 10 on a Tuesday.
func tuesday() Slot {
	return Slot{Site: 1, Day: 9376, Class: 1, Weekday: 2, Minute: 540, Minutes: 60, Capacity: 60, Shares: map[agreement.Side]uint32{"A": 30, "B": 30}}
}

type post struct {
	Desk
	given, got uint32
}

func newPost(side agreement.Side) *post {
	return &post{Desk: Desk{State: State{table.Map[Key, Standing]{}}, Side: side, Now: noon()}}
}

func (p *post) apply(facts []fact.Fact) {
	for _, f := range facts {
		Apply(p.State, p.Now, f)
	}
}

func (p *post) commit(t interface{ Fatal(...any) }, ls ...Line) {
	facts, err := p.DecideCommit(Wish{Site: 1, Set: ls, Officer: "o", Today: 9370})
	if err != nil {
		t.Fatal(err)
	}
	p.apply(facts)
}

func (p *post) hear(t interface{ Fatal(...any) }, x Told) {
	facts, err := p.DecideHeard(x)
	if err != nil {
		t.Fatal(err)
	}
	p.apply(facts)
}

func (p *post) bound() Bound {
	return p.Bound(p.Side, tuesday(), nil, int64(p.given)-int64(p.got))
}

func day(r Resource, places uint32) Line {
	return Line{Resource: r, Class: 1, To: 1440, Places: places}
}

// TestLeast: a slot has the least of all resources of both sides and of the edition, a change
// for the day stands for the plan, and a rule for what it was measured to be.
func TestLeast(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []Line
		n    uint32
		side agreement.Side
		by   Resource
	}{
		"nothing said":       {nil, nil, 60, "", 0},
		"the gate":           {[]Line{day(Gate, 40)}, nil, 40, "A", Gate},
		"the other's yard":   {[]Line{day(Gate, 40)}, []Line{day(Yard, 20)}, 20, "B", Yard},
		"more than edition":  {[]Line{day(Gate, 90)}, nil, 60, "", 0},
		"staff under gate":   {[]Line{day(Gate, 40), day(Staff, 10)}, []Line{day(Health, 30)}, 10, "A", Staff},
		"another weekday":    {[]Line{{Resource: Gate, Class: 1, Weekday: 3, To: 1440, Places: 5}}, nil, 60, "", 0},
		"this weekday":       {[]Line{{Resource: Gate, Class: 1, Weekday: 2, To: 1440, Places: 5}}, nil, 5, "A", Gate},
		"another class":      {[]Line{{Resource: Gate, Class: 2, To: 1440, Places: 5}}, nil, 60, "", 0},
		"before the slot":    {[]Line{{Resource: Gate, Class: 1, To: 540, Places: 5}}, nil, 60, "", 0},
		"until the slot":     {[]Line{{Resource: Gate, Class: 1, From: 540, To: 541, Places: 5}}, nil, 5, "A", Gate},
		"by hand for more":   {[]Line{day(Gate, 10), {Resource: Gate, Class: 1, Day: 9376, To: 1440, Places: 50}}, nil, 50, "A", Gate},
		"by hand, other day": {[]Line{day(Gate, 10), {Resource: Gate, Class: 1, Day: 9377, To: 1440, Places: 50}}, nil, 10, "A", Gate},
		"a rule":             {[]Line{{Resource: Gate, Class: 1, To: 1440, Percent: 100, PerHour: 24}}, nil, 24, "A", Gate},
		"not measured yet":   {[]Line{{Resource: Gate, Class: 1, To: 1440, Percent: 100}}, nil, 60, "", 0},
		"a rule and a plan":  {[]Line{{Resource: Gate, Class: 1, To: 1440, Percent: 100, PerHour: 24}, day(Gate, 30)}, nil, 24, "A", Gate},
		"nobody":             {[]Line{day(Health, 0)}, nil, 0, "A", Health},
	} {
		p := newPost("A")
		p.commit(t, c.a...)
		own, _ := p.Standings.Get(Key{1, "A"})
		p.hear(t, Told{Site: 1, Serial: 1, Lines: c.b, Heard: own.Serial})
		b := p.bound()
		if b.Capacity != c.n || b.Side != c.side || b.Resource != c.by || b.Allotment != c.n/2 || b.Unheard {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// TestLowered: who lowers gives up its own places until the other side has heard, and both
// have their part after that.
func TestLowered(t *testing.T) {
	a, b := newPost("A"), newPost("B")
	a.commit(t, day(Gate, 40))
	if x := a.bound(); x.Capacity != 40 || x.Allotment != 10 || !x.Unheard {
		t.Errorf("the other side may still sell 30 of 40: %+v", x)
	}
	b.hear(t, a.Tell(1))
	a.hear(t, b.Tell(1))
	if x, y := a.bound(), b.bound(); x.Allotment != 20 || y.Allotment != 20 || y.Side != "A" {
		t.Errorf("%+v %+v", x, y)
	}
	// What is raised is this side's at once: the other's part can only be smaller.
	a.commit(t, day(Gate, 60))
	if x, y := a.bound(), b.bound(); x.Allotment != 30 || y.Allotment != 20 {
		t.Errorf("%+v %+v", x, y)
	}
	a.commit(t, day(Gate, 20))
	if x := a.bound(); x.Allotment != 0 {
		t.Errorf("the other side may have heard of 60: %+v", x)
	}
	a.hear(t, b.Tell(1)) // it still goes by 40
	if x := a.bound(); x.Allotment != 0 {
		t.Errorf("%+v", x)
	}
	late := a.Tell(1)
	a.commit(t, day(Gate, 30))
	b.hear(t, a.Tell(1))
	b.hear(t, late) // 20, said before 30
	a.hear(t, b.Tell(1))
	if x, y := a.bound(), b.bound(); x.Allotment != 15 || y.Allotment != 15 {
		t.Errorf("%+v %+v", x, y)
	}
	// Heard again it is nothing new.
	if facts, err := a.DecideHeard(b.Tell(1)); len(facts) != 0 || err != nil {
		t.Errorf("%v %v", facts, err)
	}
}

// TestRestored: a side that has forgotten what it said sells as if everything had been said,
// and what it says next is newer than what the other side has heard.
func TestRestored(t *testing.T) {
	a, b := newPost("A"), newPost("B")
	a.commit(t, day(Gate, 40))
	copied := State{table.Map[Key, Standing]{}}
	for k, v := range a.Standings.(table.Map[Key, Standing]) {
		copied.Standings.Put(k, v)
	}
	a.commit(t, day(Gate, 50))
	b.hear(t, a.Tell(1))
	a.State = copied
	a.hear(t, b.Tell(1))
	s, _ := a.Standings.Get(Key{1, "A"})
	if s.Serial != 3 || !s.Wide || a.bound().Allotment != 10 {
		t.Fatalf("%+v %+v", s, a.bound())
	}
	b.hear(t, a.Tell(1))
	a.hear(t, b.Tell(1))
	if x, y := a.bound(), b.bound(); x.Allotment != 20 || y.Allotment != 20 {
		t.Errorf("%+v %+v", x, y)
	}
}

// TestRefused: what is no line is not committed, and not believed of the other side.
func TestRefused(t *testing.T) {
	for name, l := range map[string]Line{
		"resource": {Class: 1, To: 60}, "class": {Resource: Gate, To: 60}, "weekday": {Resource: Gate, Class: 1, To: 60, Weekday: 8},
		"day and weekday": {Resource: Gate, Class: 1, To: 60, Weekday: 1, Day: 1}, "span": {Resource: Gate, Class: 1, From: 60, To: 60},
		"long": {Resource: Gate, Class: 1, To: 1441}, "places": {Resource: Gate, Class: 1, To: 60, Places: MaxPlaces + 1},
		"percent": {Resource: Gate, Class: 1, To: 60, Percent: 401}, "both": {Resource: Gate, Class: 1, To: 60, Percent: 1, Places: 1}, "rate": {Resource: Gate, Class: 1, To: 60, PerHour: 1},
	} {
		p := newPost("A")
		if facts, err := p.DecideCommit(Wish{Site: 1, Set: []Line{l}, Officer: "o"}); problem.KindOf(err) != problem.Invalid || facts != nil {
			t.Errorf("%s: %v %v", name, facts, err)
		}
		if facts, err := p.DecideHeard(Told{Site: 1, Serial: 1, Lines: []Line{l}}); problem.KindOf(err) != problem.Invalid || facts != nil {
			t.Errorf("%s, heard: %v %v", name, facts, err)
		}
	}
	p := newPost("A")
	if _, err := p.DecideCommit(Wish{Site: 1, Set: []Line{day(Gate, 1)}}); err == nil {
		t.Error("nobody said so")
	}
	p.commit(t, Line{Resource: Gate, Class: 1, Day: 9369, To: 1440}, Line{Resource: Gate, Class: 1, Day: 9370, To: 1440})
	if s, _ := p.Standings.Get(Key{1, "A"}); len(s.Lines) != 1 {
		t.Errorf("a day that is over stays: %+v", s)
	}
	facts, _ := p.DecideCommit(Wish{Site: 1, Drop: []Line{{Resource: Gate, Class: 1, Day: 9370, To: 1440}}, Officer: "o"})
	p.apply(facts)
	if s, _ := p.Standings.Get(Key{1, "A"}); len(s.Lines) != 0 || s.Serial != 2 {
		t.Errorf("%+v", s)
	}
	for range 2 {
		p.commit(t, Line{Resource: Gate, Class: 1, To: 1440, Percent: 50})
		facts, err := p.DecideMeasured(1, 90)
		p.apply(facts)
		if s, _ := p.Standings.Get(Key{1, "A"}); err != nil || s.Lines[0].PerHour != 45 {
			t.Errorf("%+v %v", s, err)
		}
	}
}

// TestNeverMore: whatever both sides commit, give away and hear, in whatever order, late and
// twice, their allotments add up to no more than the capacity, but where one has lowered it
// by more than its own part: then that side sells nothing.
func TestNeverMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts := [2]*post{newPost("A"), newPost("B")}
		type msg struct {
			Told
			given uint32
		}
		var wire [2][]msg // to each
		check := func() {
			x, y := posts[0].bound(), posts[1].bound()
			l, _ := posts[0].Standings.Get(Key{1, "A"})
			m, _ := posts[1].Standings.Get(Key{1, "B"})
			n, _ := least(l.Lines, tuesday())
			o, _ := least(m.Lines, tuesday())
			if c := min(n, o); x.Allotment+y.Allotment > c && !(x.Unheard && x.Allotment == 0) && !(y.Unheard && y.Allotment == 0) {
				t.Fatalf("%d + %d of %d: %+v %+v", x.Allotment, y.Allotment, c, l, m)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 1).Draw(t, "side")
			p := posts[i]
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				p.commit(t, day(Gate, rapid.Uint32Range(0, 70).Draw(t, "places")))
			case 1:
				if n := p.bound().Allotment; n > 0 {
					// As many as are given leave the allotment, whatever it was cut to.
					net := int64(p.bound().Own) - int64(n) + int64(rapid.Uint32Range(0, n).Draw(t, "give"))
					if g := net + int64(p.got); g > int64(p.given) {
						p.given = uint32(g)
					}
				}
			case 2:
				wire[1-i] = append(wire[1-i], msg{p.Tell(1), p.given})
			default:
				if n := len(wire[i]); n > 0 {
					m := wire[i][rapid.IntRange(0, n-1).Draw(t, "message")]
					p.hear(t, m.Told)
					p.got = max(p.got, m.given)
				}
			}
			check()
		}
		// Once the line is whole, nothing is lost: the places add up.
		for range 4 {
			for i, p := range posts {
				o := posts[1-i]
				p.hear(t, o.Tell(1))
				p.got = max(p.got, o.given)
			}
		}
		x, y := posts[0].bound(), posts[1].bound()
		if x.Unheard || y.Unheard || x.Capacity != y.Capacity || x.Allotment+y.Allotment != x.Own+x.Theirs {
			t.Fatalf("%+v %+v", x, y)
		}
		for _, p := range posts {
			if facts, err := p.DecideHeard(posts[0].Tell(1)); p.Side == "B" && (len(facts) > 0 || err != nil) {
				t.Fatalf("not at rest: %v %v", facts, err)
			}
		}
	})
}

// TestFacts: a fact that has passed the wire makes the same of the state.
func TestFacts(t *testing.T) {
	codec := fact.NewCodec(Facts()...)
	for _, f := range []fact.Fact{&Committed{Site: 1, Side: "A", Serial: 2, Lines: []Line{day(Gate, 4)}, Officer: "o"}, &CommitmentHeard{Site: 1, Side: "B", Serial: 1, Acked: 1}} {
		b, err := codec.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		g, err := codec.Decode(f.FactKind(), b)
		if err != nil || !reflect.DeepEqual(f, g) {
			t.Errorf("%v %v", g, err)
		}
	}
}
