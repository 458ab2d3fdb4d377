// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package reason

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var all = []Outcome{Allow, Breach, Divert, Hold, Refer, Conflict, Refuse, Closed}

// TestOrder pins the order in which outcomes win. It is part of what editions mean: a
// change of it changes verdicts of the past.
func TestOrder(t *testing.T) {
	want := []string{"ALLOW", "BREACH", "DIVERT", "HOLD", "REFER", "CONFLICT", "REFUSE", "CLOSED"}
	for i, o := range all {
		if int(o) != i+1 || o.String() != want[i] {
			t.Errorf("outcome %d is %v, want %d %s", o, o, i+1, want[i])
		}
		if got, ok := ParseOutcome(want[i]); !ok || got != o {
			t.Errorf("ParseOutcome(%q) = %v, %v", want[i], got, ok)
		}
		if o.Admits() != (o == Allow) {
			t.Errorf("%v.Admits() = %v", o, o.Admits())
		}
		if want := slices.Contains([]Outcome{Breach, Hold, Refer, Conflict}, o); o.NeedsOfficer() != want {
			t.Errorf("%v.NeedsOfficer() = %v", o, o.NeedsOfficer())
		}
	}
	if len(names) != len(want)+1 {
		t.Errorf("%d names of outcomes, want %d", len(names)-1, len(want))
	}
}

// TestNoOutcome: a verdict that nobody filled in admits nobody, and is not read from text.
func TestNoOutcome(t *testing.T) {
	if None.Admits() || Outcome(99).Admits() {
		t.Error("no outcome admits")
	}
	for _, s := range []string{"", "allow", "ALLOW ", "OUTCOME(99)", "NONE"} {
		if o, ok := ParseOutcome(s); ok || o != None {
			t.Errorf("ParseOutcome(%q) = %v, %v", s, o, ok)
		}
	}
	if got := Outcome(99).String(); got != "OUTCOME(99)" {
		t.Errorf("String = %q", got)
	}
}

func TestText(t *testing.T) {
	type verdict struct{ Outcome Outcome }
	for _, o := range append(all, None) {
		b, err := json.Marshal(verdict{o})
		if err != nil {
			t.Fatal(err)
		}
		var v verdict
		v.Outcome = Closed
		if err := json.Unmarshal(b, &v); err != nil || v.Outcome != o {
			t.Errorf("%s is %v, %v, want %v", b, v.Outcome, err, o)
		}
	}
	v := verdict{Allow}
	if err := json.Unmarshal([]byte(`{"Outcome":"WAIT"}`), &v); err == nil {
		t.Errorf("an outcome that there is not is %v", v.Outcome)
	}
}

func TestCode(t *testing.T) {
	for _, c := range []Code{"pass.signature.untrusted", "a.b.c", "gate.pass_x.used_twice", "g2.x.y2"} {
		if !c.Valid() {
			t.Errorf("%q is not a code", c)
		}
	}
	for _, c := range []Code{"", "pass", "pass.signature", "pass.signature.untrusted.x", "Pass.a.b", "pass..a", "pass.a.", "2a.b.c", "a.2b.c", "a.b.c\n", "a-b.c.d", "a_b.c.d"} {
		if c.Valid() {
			t.Errorf("%q is a code", c)
		}
	}
}

func TestWorst(t *testing.T) {
	if got := Worst(nil); got != Allow {
		t.Errorf("no reason gives %v", got)
	}
	if got := Worst([]Reason{{Outcome: Divert}, {Outcome: Refuse}, {Outcome: Hold}}); got != Refuse {
		t.Errorf("got %v", got)
	}
	// A reason whose outcome was lost says nothing milder than ALLOW.
	if got := Worst([]Reason{{}}); got != Allow {
		t.Errorf("got %v", got)
	}
}

var (
	outcomes = rapid.SampledFrom(all)
	reasons  = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reason {
		return Reason{
			Code:    Code(rapid.SampledFrom([]string{"a.b.c", "a.b.d", "x.y.z"}).Draw(t, "code")),
			Outcome: outcomes.Draw(t, "outcome"),
			Clause:  rapid.SampledFrom([]string{"", "3.1", "3.2"}).Draw(t, "clause"),
		}
	}), 0, 12)
)

// TestNeverMilder: more reasons never make a verdict milder, in whatever order they come.
func TestNeverMilder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some, more := reasons.Draw(t, "some"), reasons.Draw(t, "more")
		before, after := Worst(some), Worst(append(slices.Clone(some), more...))
		if after < before {
			t.Fatalf("%v became %v", before, after)
		}
		if turned := Worst(append(slices.Clone(more), some...)); turned != after {
			t.Fatalf("%v one way, %v the other", after, turned)
		}
		if got := Strictest(before, Worst(more)); got != after {
			t.Fatalf("%v and %v make %v, together %v", before, Worst(more), got, after)
		}
	})
}

// TestSort: the order does not depend on how the reasons came, and the strictest is first.
func TestSort(t *testing.T) {
	type short struct {
		o      Outcome
		clause string
		code   Code
	}
	key := func(rs []Reason) []short {
		var out []short
		for _, r := range rs {
			out = append(out, short{r.Outcome, r.Clause, r.Code})
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		a := reasons.Draw(t, "reasons")
		b := rapid.Permutation(a).Draw(t, "order")
		Sort(a)
		Sort(b)
		if !slices.Equal(key(a), key(b)) {
			t.Fatalf("%v and %v", key(a), key(b))
		}
		if len(a) > 0 && a[0].Outcome != Worst(a) {
			t.Fatalf("%v is first, %v the strictest", a[0].Outcome, Worst(a))
		}
	})
	rs := []Reason{{Code: "b.b.b", Outcome: Hold}, {Code: "a.a.a", Outcome: Hold, Clause: "2"}, {Code: "c.c.c", Outcome: Refuse, Clause: "9"}, {Code: "a.a.a", Outcome: Hold}}
	Sort(rs)
	want := []short{{Refuse, "9", "c.c.c"}, {Hold, "", "a.a.a"}, {Hold, "", "b.b.b"}, {Hold, "2", "a.a.a"}}
	if got := key(rs); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
