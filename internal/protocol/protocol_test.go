// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/table"
)

const mand = 1

func testLaw(t testing.TB) *rules.Law {
	t.Helper()
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	e, faults := agreement.Check(sub)
	if e == nil {
		t.Fatal(faults)
	}
	l, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func noon() time.Time { return time.Date(2025, 9, 2, 7, 0, 0, 0, time.UTC) }

// post is one side's desk on maps, with a clock.
type post struct {
	Desk
	t testing.TB
}

func newPost(t testing.TB, l *rules.Law, side agreement.Side) *post {
	return &post{Desk{State: State{table.Map[Key, Standing]{}}, Law: l, Side: side, Now: noon()}, t}
}

func (p *post) apply(facts []fact.Fact) {
	for _, f := range facts {
		Apply(p.State, p.Now, f)
	}
}

func (p *post) set(level string, from time.Time, emergency bool, profiles ...string) (rules.Verdict, Change, error) {
	facts, v, c, err := p.DecideLevel(Wish{Site: mand, Level: level, From: from, Emergency: emergency, Profiles: profiles, Officer: "o", Roles: []string{"supervisor"}})
	if err != nil && len(facts) > 0 || v.Outcome != reason.Allow && len(facts) > 0 {
		p.t.Errorf("%s is refused and recorded", level)
	}
	p.apply(facts)
	return v, c, err
}

func (p *post) at(t time.Time) string {
	h, ok := p.Law.Health(mand, t)
	if !ok {
		p.t.Fatal("no levels")
	}
	return p.State.At(h, mand, t).ID
}

// TestNotice: a level comes in after its notice, and is left after the notice of leaving.
func TestNotice(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.A)
	if got := p.at(p.Now); got != "normal" {
		t.Fatalf("begins with %s", got)
	}
	v, _, err := p.set("guarded", p.Now.Add(23*time.Hour+59*time.Minute), false)
	if err != nil || v.Outcome != reason.Refuse || v.Reasons[0].Code != CodeNotice || v.Reasons[0].Params["earliest"] != "2025-09-03T07:00:00Z" {
		t.Fatalf("%v %v", v.Reasons, err)
	}
	v, c, err := p.set("guarded", time.Time{}, false)
	if err != nil || v.Outcome != reason.Allow || !c.From.Equal(p.Now.Add(24*time.Hour)) || c.Officer != "o" {
		t.Fatalf("%v %v %v", v, c, err)
	}
	if p.at(p.Now) != "normal" || p.at(c.From.Add(-time.Second)) != "normal" || p.at(c.From) != "guarded" {
		t.Error("does not begin when it was said")
	}
	if next := p.Coming(mand, p.Now); !next.Equal(c.From) {
		t.Errorf("coming %v", next)
	}
	// To be said again is nothing new once it holds.
	p.Now = c.From
	if _, _, err := p.set("guarded", time.Time{}, false); problem.CodeOf(err) != "level.same" {
		t.Errorf("again: %v", err)
	}
	v, _, _ = p.set("normal", p.Now.Add(47*time.Hour), false)
	if v.Outcome != reason.Refuse || v.Reasons[0].Code != CodeNotice {
		t.Errorf("left after 47 hours: %v", v)
	}
	v, c, _ = p.set("normal", time.Time{}, false)
	if v.Outcome != reason.Allow || p.at(c.From.Add(-time.Second)) != "guarded" || p.at(c.From) != "normal" || c.From.Sub(p.Now) != 48*time.Hour {
		t.Errorf("%v %v", v, c)
	}
	// A plan is replaced by another, and not added to it.
	v, c, _ = p.set("high", time.Time{}, false)
	if v.Outcome != reason.Allow || p.at(c.From) != "high" || p.at(c.From.Add(40*24*time.Hour)) != "high" {
		t.Errorf("%v %v", v, c)
	}
}

// TestEmergency: one side brings a stricter level in at once, it lapses by itself, and is
// not prolonged by saying it again.
func TestEmergency(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.A)
	if v, _, _ := p.set("normal", time.Time{}, true); v.Outcome != reason.Refuse || v.Reasons[0].Code != CodeEmergency {
		t.Errorf("the mildest at once: %v", v)
	}
	v, c, err := p.set("high", time.Time{}, true)
	if err != nil || v.Outcome != reason.Allow || p.at(p.Now) != "high" || !c.Emergency() {
		t.Fatalf("%v %v", v, err)
	}
	end := p.Now.Add(7 * 24 * time.Hour)
	if p.at(end.Add(-time.Second)) != "high" || p.at(end) != "normal" {
		t.Error("does not lapse after seven days")
	}
	if v, _, _ := p.set("guarded", time.Time{}, true); v.Outcome != reason.Refuse || v.Reasons[0].Code != CodeEmergency {
		t.Errorf("a milder one at once: %v", v)
	}
	for _, later := range []time.Duration{8 * 24 * time.Hour, 13*24*time.Hour + 23*time.Hour} {
		q := *p
		q.Now = noon().Add(later)
		if v, _, _ := q.set("high", time.Time{}, true); v.Outcome != reason.Refuse || v.Reasons[0].Code != CodeProlonged {
			t.Errorf("prolonged after %v: %v", later, v)
		}
	}
	p.Now = noon().Add(14 * 24 * time.Hour)
	if v, _, _ := p.set("high", time.Time{}, true); v.Outcome != reason.Allow {
		t.Errorf("another one after two weeks: %v", v)
	}
	// What was planned beside it stays.
	p = newPost(t, testLaw(t), agreement.A)
	_, c, _ = p.set("guarded", time.Time{}, false)
	p.set("high", time.Time{}, true)
	if p.at(c.From) != "high" || p.at(end) != "guarded" {
		t.Error("the plan is lost")
	}
}

// TestProfilesBeside switches a disease on beside a level, and off again as what widens.
func TestProfilesBeside(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.B)
	profiles := func(at time.Time) []string {
		f := rules.Facts{}
		p.State.Facts(p.Law, mand, at, f)
		return f[agreement.AttrProfiles].([]string)
	}
	_, c, err := p.set("guarded", time.Time{}, false, "cholera", "covid", "cholera")
	if err != nil || !slices.Equal(c.Profiles, []string{"cholera"}) {
		t.Fatalf("%v %v", c, err)
	}
	if got := profiles(c.From); !slices.Equal(got, []string{"cholera", "covid"}) {
		t.Errorf("%v", got)
	}
	if got := profiles(p.Now); len(got) != 0 {
		t.Errorf("before it begins: %v", got)
	}
	p.Now = c.From
	if v, _, _ := p.set("guarded", p.Now.Add(25*time.Hour), false); v.Outcome != reason.Refuse {
		t.Error("a disease is switched off with the notice of a stricter level")
	}
	v, c, _ := p.set("guarded", p.Now.Add(24*time.Hour), false, "cholera", "polio")
	if v.Outcome != reason.Allow || !slices.Equal(profiles(c.From), []string{"cholera", "covid", "polio"}) {
		t.Errorf("%v %v", v, profiles(c.From))
	}
	for _, bad := range []struct {
		level    string
		profiles []string
		field    string
	}{{"guarded", []string{"plague"}, "profiles"}, {"normal", []string{"polio"}, "profiles"}, {"severe", nil, "level"}} {
		if _, _, err := p.set(bad.level, time.Time{}, false, bad.profiles...); problem.FieldOf(err) != bad.field {
			t.Errorf("%v: %v", bad, err)
		}
	}
	_, _, _, err = p.DecideLevel(Wish{Site: mand, Level: "high", Officer: "o", Roles: []string{"clerk"}})
	if problem.KindOf(err) != problem.Forbidden {
		t.Errorf("a clerk: %v", err)
	}
	if _, _, _, err = p.DecideLevel(Wish{Site: 99, Level: "high", Officer: "o", Roles: []string{"supervisor"}}); problem.KindOf(err) != problem.NotFound {
		t.Errorf("no such site: %v", err)
	}
	if _, _, err = p.set("high", p.Now.Add(-time.Hour), false); problem.FieldOf(err) != "from" {
		t.Errorf("in the past: %v", err)
	}
}

// TestStricterOfBoth plays two sides that bring levels in and hear of each other: at any
// time what holds is no milder than what either has in force, so that only both widen.
func TestStricterOfBoth(t *testing.T) {
	l := testLaw(t)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := newPost(t, l, agreement.A), newPost(t, l, agreement.B)
		rank := func(p *post, side agreement.Side, t time.Time) int {
			h, _ := l.Health(mand, t)
			s, _ := p.Standings.Get(Key{Site: mand, Side: side})
			n, _ := s.rank(h, t)
			return n
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			d := time.Duration(rapid.IntRange(0, 5*24).Draw(rt, "hours")) * time.Hour
			a.Now, b.Now = a.Now.Add(d), b.Now.Add(d)
			p := a
			if rapid.Bool().Draw(rt, "b") {
				p = b
			}
			level := rapid.SampledFrom([]string{"normal", "guarded", "high"}).Draw(rt, "level")
			was := make([]int, 24)
			for i := range was {
				was[i] = rank(p, p.Side, p.Now.Add(time.Duration(i)*time.Hour))
			}
			v, _, err := p.set(level, time.Time{}, rapid.Bool().Draw(rt, "emergency"))
			for i := range was {
				// Nothing widens within a day, by whatever one side says.
				if at := p.Now.Add(time.Duration(i) * time.Hour); rank(p, p.Side, at) < was[i] {
					rt.Fatalf("%s widens in %d hours (%v %v)", level, i, v.Outcome, err)
				}
			}
			if rapid.Bool().Draw(rt, "hear") {
				for _, x := range [][2]*post{{a, b}, {b, a}} {
					facts, err := x[0].DecideHeard(mand, x[1].Own(mand))
					if err != nil {
						rt.Fatal(err)
					}
					x[0].apply(facts)
					if again, _ := x[0].DecideHeard(mand, x[1].Own(mand)); len(again) > 0 {
						rt.Fatal("hears the same twice")
					}
				}
				for i := range 40 * 24 {
					at := a.Now.Add(time.Duration(i) * time.Hour)
					if a.at(at) != b.at(at) {
						rt.Fatalf("the sides differ in %d hours: %s and %s", i, a.at(at), b.at(at))
					}
					h, _ := l.Health(mand, at)
					if n := h.Rank(a.at(at)); n < rank(a, agreement.A, at) || n < rank(b, agreement.B, at) {
						rt.Fatal("milder than what a side has in force")
					}
				}
			}
		}
	})
}

// TestHeardForm takes nothing from the other side that is not the form of a level.
func TestHeardForm(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.A)
	good := Change{Level: "high", From: noon(), Said: noon()}
	for name, f := range map[string]func(*Change){
		"no level":   func(c *Change) { c.Level = "" },
		"a sentence": func(c *Change) { c.Level = "Ali was ill" },
		"no time":    func(c *Change) { c.From = time.Time{} },
		"never said": func(c *Change) { c.Said = time.Time{} },
		"backwards":  func(c *Change) { c.Until = c.From.Add(-time.Hour) },
		"a name":     func(c *Change) { c.Profiles = []string{"Ali Khan"} },
		"too many":   func(c *Change) { c.Profiles = make([]string, maxChanges+1) },
	} {
		c := good
		f(&c)
		if _, err := p.DecideHeard(mand, []Change{c}); problem.KindOf(err) != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.DecideHeard(mand, slices.Repeat([]Change{good}, maxChanges+1)); problem.KindOf(err) != problem.Limit {
		t.Error("takes any number of them")
	}
	facts, err := p.DecideHeard(mand, []Change{{Level: "from-a-newer-edition", From: noon(), Said: noon(), Officer: "somebody"}})
	if err != nil || len(facts) != 1 || facts[0].(*Heard).Changes[0].Officer != "" {
		t.Fatalf("%v %v", facts, err)
	}
	p.apply(facts)
	if p.at(noon()) != "high" {
		t.Error("a level that nobody here knows is not the strictest")
	}
}

// lawOf is the package with one file of it changed, by pairs of old and new text.
func lawOf(t testing.TB, pairs ...string) *rules.Law {
	t.Helper()
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	const file = "health/example.yaml"
	b, err := fs.ReadFile(sub, file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", file, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	over, err := agreement.Overlay(sub, map[string][]byte{file: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	e, faults := agreement.Check(over)
	if e == nil {
		t.Fatal(faults)
	}
	l, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestEmergencyOnly: a level that the edition lets in at once alone never comes in with
// notice, nor by a role that may not bring it in, whatever is switched off with it.
func TestEmergencyOnly(t *testing.T) {
	l := lawOf(t, "    raise: 24 hours\n    lower: 72 hours\n    emergency: 7 days\n    by: [supervisor]", "    lower: 72 hours\n    emergency: 7 days\n    by: [committee]")
	p := newPost(t, l, agreement.A)
	if _, _, err := p.set("guarded", time.Time{}, false, "ebola"); err != nil {
		t.Fatal(err)
	}
	p.Now = p.Now.Add(24 * time.Hour)
	if v, _, err := p.set("high", time.Time{}, false); err == nil && v.Outcome == reason.Allow {
		t.Error("comes in with notice")
	}
	if _, _, err := p.set("high", time.Time{}, true); problem.KindOf(err) != problem.Forbidden {
		t.Errorf("a supervisor: %v", err)
	}
	l = lawOf(t, "    lower: 72 hours\n    emergency: 7 days\n    by: [supervisor]", "    lower: 72 hours\n    emergency: 7 days\n    by: [committee]")
	p = newPost(t, l, agreement.A)
	p.set("guarded", time.Time{}, false, "ebola")
	p.Now = p.Now.Add(24 * time.Hour)
	if _, _, err := p.set("high", time.Time{}, false); problem.KindOf(err) != problem.Forbidden {
		t.Errorf("what widens and narrows takes the roles of both levels: %v", err)
	}
}

// TestProfileKept: what is switched on beside a level stays on under a plan that was made
// before, and a second disease can be switched on at once.
func TestProfileKept(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.A)
	_, plan, err := p.set("high", p.Now.Add(48*time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.set("guarded", p.Now.Add(30*time.Hour), false, "ebola"); err != nil {
		t.Fatal(err)
	}
	profiles := func(at time.Time) []string {
		f := rules.Facts{}
		p.State.Facts(p.Law, mand, at, f)
		return f[agreement.AttrProfiles].([]string)
	}
	if got := profiles(plan.From.Add(time.Hour)); !slices.Equal(got, []string{"covid", "ebola"}) || p.at(plan.From) != "high" {
		t.Errorf("%s %v", p.at(plan.From), got)
	}
	p = newPost(t, testLaw(t), agreement.A)
	p.set("guarded", time.Time{}, false)
	p.Now = p.Now.Add(25 * time.Hour)
	if v, _, err := p.set("guarded", time.Time{}, true, "ebola"); err != nil || v.Outcome != reason.Allow || !slices.Contains(profiles(p.Now), "ebola") {
		t.Errorf("a second disease at once: %v %v", v, err)
	}
	if v, _, _ := p.set("guarded", time.Time{}, true, "ebola"); v.Outcome != reason.Refuse {
		t.Error("and again")
	}
}

// TestManyEmergencies: what has lapsed long enough to be said again takes no room.
func TestManyEmergencies(t *testing.T) {
	p := newPost(t, testLaw(t), agreement.A)
	for n := range maxChanges + 4 {
		if v, _, err := p.set("high", time.Time{}, true); err != nil || v.Outcome != reason.Allow {
			t.Fatalf("emergency %d: %v %v", n, v.Outcome, err)
		}
		p.Now = p.Now.Add(14 * 24 * time.Hour)
	}
}
