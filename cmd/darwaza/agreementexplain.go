// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

func explainVerb(f flagSet) func(context.Context, console, []string) error {
	ask := f.Int("ask", 0, "which ask of the scenario, from 1; all where it is left out")
	asJSON := f.Bool("json", false, "print JSON")
	return func(_ context.Context, c console, args []string) error {
		return explainScenario(c.out, args[0], args[1], *ask, *asJSON)
	}
}

// compiled reads a package and makes it answer, whatever its scenarios say.
func compiled(dir string) (*agreement.Edition, *rules.Law, error) {
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return nil, nil, err
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		return nil, nil, problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	law, err := rules.Compile(e)
	return e, law, problem.Wrap(problem.Invalid, "agreement.package", err)
}

func explainScenario(w io.Writer, dir, id string, ask int, asJSON bool) error {
	p, err := runnableOf(dir)
	if err != nil {
		return err
	}
	e, law := p.e, p.law
	if n := slices.IndexFunc(e.Tests, func(s agreement.Scenario) bool { return s.ID == id }); n >= 0 {
		if why := p.touched(e.Tests[n]); why != "" {
			return problem.Wrap(problem.Invalid, "agreement.package", fmt.Errorf("%s cannot be asked: %s; %w", id, why, p.faults))
		}
	}
	results := law.Test(e)
	i := slices.IndexFunc(results, func(r rules.Result) bool { return r.Scenario.ID == id })
	if i < 0 {
		var ids []string
		for _, r := range results {
			ids = append(ids, r.Scenario.ID)
		}
		return problem.Newf(problem.NotFound, "agreement.scenario", "there is no scenario %q; there are %s", id, strings.Join(ids, ", "))
	}
	r := results[i]
	if ask < 0 || ask > len(r.Verdicts) {
		return wrong("--ask must be between 1 and %d, the number of asks of %s", len(r.Verdicts), id)
	}
	type answer struct {
		Scenario string            `json:"scenario"`
		Ask      int               `json:"ask"`
		Query    json.RawMessage   `json:"query"`
		Tree     rules.Explanation `json:"explanation"`
		Wrong    []string          `json:"wrong"`
	}
	var answers []answer
	for n, q := range r.Queries {
		if ask != 0 && ask != n+1 {
			continue
		}
		v := r.Verdicts[n]
		var off []string
		for _, x := range r.Wrong {
			if text, mine := strings.CutPrefix(x, fmt.Sprintf("ask %d: ", n+1)); mine {
				off = append(off, text)
			}
		}
		if asJSON {
			if off == nil {
				off = []string{}
			}
			answers = append(answers, answer{id, n + 1, openly(e, q), law.Explain(q), off})
			continue
		}
		if n > 0 && ask == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s, ask %d of %d: %s\n", id, n+1, len(r.Verdicts), r.Scenario.Title)
		tellQuery(w, law, e, q, v)
		tellVerdict(w, e, v)
		tellTree(w, law.Explain(q))
		for _, x := range off {
			fmt.Fprintf(w, "not as expected: %s\n", x)
		}
	}
	if asJSON {
		return writeJSON(w, answers)
	}
	return nil
}

// tellQuery says what was asked. Sensitive facts show their name alone.
func tellQuery(w io.Writer, law *rules.Law, e *agreement.Edition, q rules.Query, v rules.Verdict) {
	at := q.At.In(law.Zone(q.Site))
	fmt.Fprintf(w, "asked at %s, %s", q.Point, at.Format("Mon 2006-01-02 15:04 -07:00"))
	if q.Site != "" {
		fmt.Fprintf(w, ", %s", q.Site)
	}
	if q.Side != "" {
		fmt.Fprintf(w, ", side %s", q.Side)
	}
	if !q.Known.IsZero() {
		fmt.Fprintf(w, ", as known on %s", q.Known.In(law.Zone(q.Site)).Format(time.DateOnly))
	}
	fmt.Fprintln(w)
	used := map[string]string{}
	for _, in := range v.Inputs {
		used[in.Name] = in.Value
	}
	for _, name := range sorted(q.Facts) {
		value, read := used[name]
		switch {
		case !read:
			fmt.Fprintf(w, "  %s: given, and no clause read it\n", name)
		case e.Attributes[name].Sensitive:
			fmt.Fprintf(w, "  %s: given, and not shown\n", name)
		default:
			fmt.Fprintf(w, "  %s: %s\n", name, value)
		}
	}
	for _, kind := range sorted(q.Events) {
		fmt.Fprintf(w, "  %s before: %d\n", kind, len(q.Events[kind]))
	}
	for _, x := range q.Lots {
		fmt.Fprintf(w, "  bought before: %s\n", x.Text(e.Currency))
	}
}

// tellVerdict says what was answered and what each clause did.
func tellVerdict(w io.Writer, e *agreement.Edition, v rules.Verdict) {
	fmt.Fprintf(w, "%s\n", v.Outcome)
	for _, r := range v.Reasons {
		fmt.Fprintf(w, "  %s %s", r.Outcome, r.Code)
		if r.Clause != "" {
			fmt.Fprintf(w, ", clause %s", r.Clause)
		}
		for _, k := range slices.Sorted(maps.Keys(r.Params)) {
			if k != "decides" { // it stands on a line of its own
				fmt.Fprintf(w, ", %s %s", k, r.Params[k])
			}
		}
		fmt.Fprintln(w)
		c := e.Clause(r.Clause)
		if c == nil {
			continue
		}
		if rules.Unsettled(r.Code) {
			fmt.Fprintf(w, "    %s\n", neutral(r.Code))
		} else {
			if s := c.Say.In(lang.EN); s != "" {
				fmt.Fprintf(w, "    %s\n", s)
			}
			if s := c.Next.In(lang.EN); s != "" {
				fmt.Fprintf(w, "    %s\n", s)
			}
		}
		if p, ok := rules.PublishedRule(e, r); ok {
			fmt.Fprintf(w, "    %s: %s\n", p.ID, p.Says(lang.EN))
		}
		if who := cmp.Or(r.Params["decides"], c.Decides); who != "" && r.Outcome.NeedsOfficer() {
			fmt.Fprintf(w, "    decided by: %s\n", who)
		}
	}
	if len(v.Amounts) > 0 {
		fmt.Fprintln(w, "figures")
	}
	for _, a := range v.Amounts {
		name := strings.TrimSpace(a.Name + " " + a.Of)
		value := "owed, and not known"
		if a.Known {
			value = a.Figure()
		}
		fmt.Fprintf(w, "  %s: %s, clause %s\n", name, value, a.Clause)
		for _, s := range a.Steps {
			fmt.Fprintf(w, "    %s\n", s)
		}
	}
	if len(v.Missing) > 0 {
		fmt.Fprintf(w, "not known, and could change the answer: %s\n", strings.Join(v.Missing, ", "))
	}
	for _, q := range v.Questions {
		state := "open"
		if q.Settled {
			state = "settled"
		}
		fmt.Fprintf(w, "rests on question %s (%s): %s\n", q.ID, state, e.Questions[q.ID].Asks.In(lang.EN))
	}
}

// neutral is what a code says by itself.
func neutral(c reason.Code) string {
	for _, d := range rules.Reasons() {
		if d.Code == c {
			return d.When
		}
	}
	return string(c)
}

// tellTree says what each clause did and what its conditions came to, part by part.
func tellTree(w io.Writer, x rules.Explanation) {
	v := x.Verdict
	if len(x.Clauses) > 0 {
		fmt.Fprintln(w, "clauses asked")
	}
	for _, c := range x.Clauses {
		fmt.Fprintf(w, "  %s: %s", c.Clause, c.Did)
		if c.Note != "" {
			fmt.Fprintf(w, ", %s", c.Note)
		}
		fmt.Fprintln(w)
		for _, s := range c.Looked {
			fmt.Fprintf(w, "    %s\n", s)
		}
		for _, p := range c.Conditions {
			tellPart(w, p, "    ")
		}
	}
	for _, d := range x.Definitions {
		value := "not known"
		if d.Known {
			value = cmp.Or(d.Value, "known, and not shown")
		}
		fmt.Fprintf(w, "derived %s: %s", d.Attribute, value)
		if len(d.Clauses) > 0 {
			fmt.Fprintf(w, ", by %s", strings.Join(d.Clauses, ", "))
		}
		fmt.Fprintln(w)
	}
	if len(x.Needs) > 0 {
		fmt.Fprintln(w, "what would change the answer")
	}
	for _, n := range x.Needs {
		fmt.Fprintf(w, "  %s", n.Input)
		if n.Value != "" {
			fmt.Fprintf(w, " %s", n.Value)
		} else if n.Fits {
			fmt.Fprintf(w, ", %s", rules.FitsText)
		}
		fmt.Fprintf(w, ": %s\n", n.Outcome)
	}
	if v.Edition != "" {
		fmt.Fprintf(w, "by %s, edition %s\n", v.Agreement, v.Edition)
	} else {
		fmt.Fprintln(w, "by no edition: none is in force then")
	}
}

// tellPart says what a part of a condition came to, and its own parts below it.
func tellPart(w io.Writer, p rules.Part, indent string) {
	text, value := p.Words()
	fmt.Fprintf(w, "%s%s: %s\n", indent, text, value)
	for _, q := range p.Parts {
		tellPart(w, q, indent+"  ")
	}
}

// openly writes a question without the values of what is sensitive.
func openly(e *agreement.Edition, q rules.Query) json.RawMessage {
	open := func(f rules.Facts) rules.Facts {
		out := rules.Facts{}
		for k, v := range f {
			if !e.Attributes[k].Sensitive {
				out[k] = v
			}
		}
		return out
	}
	q.Facts = open(q.Facts)
	if q.Events != nil {
		events := map[string][]rules.Event{}
		for kind, list := range q.Events {
			events[kind] = []rules.Event{}
			for _, x := range list {
				events[kind] = append(events[kind], rules.Event{At: x.At, Site: x.Site, Facts: open(x.Facts)})
			}
		}
		q.Events = events
	}
	return rules.AppendQuery(nil, q)
}
