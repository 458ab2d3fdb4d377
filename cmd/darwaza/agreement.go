// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

const aboutAgreement = `
Works on an agreement package: a folder, or a bundle, which is the folder in one file.

%s
darwaza agreement VERB --help lists the flags of one.

The exit status is 0 where it was done and all is well. Any verb exits with 3 on a command line
or a package that cannot be read, with 4 on a file or folder that is not there. Beside that:
  check     3 where there is a fault; warnings and what adoption lacks are 0
  test      3 where a scenario is not as expected, where there is none, or where the package has
            a fault; days on which no scenario asks are 0, and check's to want
  explain   3 on an ask, 4 on a scenario that is not there; 0 whatever the answer is
  show      3 where there is a fault
  diff      0 whether anything differs or not; with --patch 3 where nothing does
  apply     3 where the patch or what it makes is not sound, 5 where it amends another edition or
            the folder is there already
  impact    0 however many decisions would flip
  new       5 where the folder is there already; bundle 5 where FILE is a folder
  sign      3 where there is a fault; certify and sign 9 where a key is not the one named
  verify    9 where the signatures of both sides do not hold

--json, of check, test, explain, diff and impact, prints one value and has the same exit status:
  check     {sound, faults, lacks}: a fault has File, Line, Clause, What, Mend, Warning
  test      {passed, scenarios, faults, untested}: a scenario has id, title, passed, wrong, unasked
            (why it was not asked) and verdicts, the bytes of each answer in base64
  explain   [{scenario, ask, query, explanation, wrong}], without values of what is sensitive
  diff      {old, new, changes, faults}: of a change, part is effect, scenario, text or file; text
            says it, and what, id, field, old, new and from say it to programs
  impact    {agreement, edition, hash, decisions, same, flips, silent, lacking, lacks, clauses}
`

// verb is one thing to do with a package. set declares its flags and returns the work,
// which is given what stands after them: least and most say how much.
type verb struct {
	name, args, short string
	least, most       int
	set               func(f flagSet) func(ctx context.Context, c console, args []string) error
}

func verbs() []verb {
	return []verb{
		{"new", "DIR", "make a small package to write on from", 1, 1, newVerb},
		{"check", "PACKAGE", "say all that is wrong with it, and how to mend it", 1, 1, checkVerb},
		{"test", "PACKAGE", "run the scenarios that lie beside the text", 1, 1, testVerb},
		{"explain", "PACKAGE SCENARIO", "say how the answer to one scenario comes about", 2, 2, explainVerb},
		{"show", "PACKAGE", "print it as a reader would want it, in a language", 1, 1, showVerb},
		{"diff", "OLD NEW", "say in plain words what an amendment changes", 2, 2, diffVerb},
		{"apply", "OLD PATCH DIR", "make the next edition of an edition and a patch", 3, 3, applyVerb},
		{"impact", "DRAFT (--facts FILE | --db URL)", "ask recorded decisions again under a draft, and list which would flip", 1, 1, impactVerb},
		{"bundle", "DIR FILE", "put it into one file", 2, 2, bundleVerb},
		{"hash", "PACKAGE", "print its hash and the bytes that are signed", 1, 1, hashVerb},
		{"keys", "PACKAGE [FILE...]", "put public keys into it; with no file, list those in it", 1, 3, keysVerb},
		{"signer", "FILE", "make the key of a person who signs editions", 1, 1, signerVerb},
		{"certify", "--side A|B --key ROOT --person NAME --public FILE PACKAGE", "let a root key certify the key of a person", 1, 1, certifyVerb},
		{"sign", "--side A|B --key FILE PACKAGE", "sign it, as one of two people of a side", 1, 1, signVerb},
		{"verify", "PACKAGE", "check the signatures of both sides", 1, 1, verifyVerb},
	}
}

// runAgreement does one thing with an agreement package.
func runAgreement(ctx context.Context, c console, args []string) error {
	return runVerb(ctx, c, "agreement", aboutAgreement, verbs(), args)
}

// runVerb does what the first argument of a command says. about has a %s for the list of
// the verbs.
func runVerb(ctx context.Context, c console, command, about string, verbs []verb, args []string) error {
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	var list strings.Builder
	for _, v := range verbs {
		fmt.Fprintf(&list, "  darwaza %s %s\n        %s\n", command, v.name+" "+v.args, v.short)
	}
	for _, v := range verbs {
		if v.name != name {
			continue
		}
		f := flags(c, command+" "+v.name, v.args, strings.ToUpper(v.short[:1])+v.short[1:]+".")
		work := v.set(f)
		rest, err := mixed(f, args)
		switch {
		case err != nil:
			return err
		case len(rest) > v.most:
			return wrong("%q is one argument too many", rest[v.most])
		case len(rest) < v.least:
			return wrong("want darwaza %s %s %s", command, v.name, v.args)
		}
		return work(ctx, c, rest)
	}
	what := map[string]string{"agreement": "VERB PACKAGE", "trust": "VERB LIST"}[command]
	f := flags(c, command, what, fmt.Sprintf(about, list.String()))
	if err := parse(f, args, 0); err != nil {
		return err
	}
	return wrong("%q is nothing that darwaza %s does; darwaza help %[2]s lists what it does", name, command)
}

// mixed reads flags that stand before, between and after the other arguments.
func mixed(f flagSet, args []string) (rest []string, err error) {
	for {
		if err := parse(f, args, len(args)); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		if n := len(args) - f.NArg(); n > 0 && args[n-1] == "--" {
			return append(rest, f.Args()...), nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// checked reads a package and everything that is wrong with it, conditions included.
func checked(dir string) (*agreement.Edition, agreement.Faults, error) {
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return nil, nil, err
	}
	e, faults := agreement.Check(fsys)
	if e != nil {
		faults = append(faults, rules.Check(e)...)
		faults = append(faults, e.Untested()...)
	}
	faults.Sort()
	return e, faults, nil
}

// sound reads a package that nothing is wrong with.
func sound(dir string) (*agreement.Edition, error) {
	e, faults, err := checked(dir)
	if err != nil {
		return nil, err
	}
	if n := len(faults.Errors()); n > 0 {
		return nil, problem.Newf(problem.Invalid, "agreement.package", "%s in the package: first %s; darwaza agreement check lists all", count(n, "fault"), faults.Errors()[0])
	}
	return e, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func checkVerb(f flagSet) func(context.Context, console, []string) error {
	asJSON := f.Bool("json", false, "print JSON")
	nomenclature := f.String("nomenclature", "", "`file` of the codes of HS 2022, CSV or one a line: every code of a list must be in it")
	base := f.String("base", "", "`package` of the edition before: the number must rise, and the notice be long enough")
	at := f.String("at", "", "`instant` at which the last side signs, such as 2026-05-01T12:00:00Z: the notice must be long enough; with --base it is now where it is left out")
	return func(_ context.Context, c console, args []string) error {
		o := outside{nomenclature: *nomenclature, base: *base}
		if *base != "" {
			o.at = time.Now()
		}
		if *at != "" {
			t, err := time.Parse(time.RFC3339, *at)
			if err != nil {
				return wrong("--at %q is no instant such as 2026-05-01T12:00:00Z", *at)
			}
			o.at = t
		}
		return checkAgreement(c.out, args[0], o, *asJSON)
	}
}

// outside is what a package is held against that does not lie in it.
type outside struct {
	nomenclature, base string
	at                 time.Time
}

func (o outside) check(e *agreement.Edition) (agreement.Faults, error) {
	var faults agreement.Faults
	if o.nomenclature != "" {
		b, err := os.ReadFile(o.nomenclature)
		if err != nil {
			return nil, problem.Newf(problem.NotFound, "agreement.nomenclature", "%w", err)
		}
		codes, err := agreement.ParseNomenclature(b)
		if err != nil {
			return nil, problem.Newf(problem.Invalid, "agreement.nomenclature", "%s: %w", o.nomenclature, err)
		}
		faults = append(faults, e.CheckNomenclature(codes)...)
	}
	var base *agreement.Edition
	if o.base != "" {
		var err error
		if base, err = read(o.base); err != nil {
			return nil, err
		}
	}
	if base != nil || !o.at.IsZero() {
		faults = append(faults, e.CheckAgainst(base, o.at)...)
	}
	if base != nil {
		signed := len(e.Persons(agreement.A)) > 0 && len(e.Persons(agreement.B)) > 0
		faults = append(faults, rules.CheckBounds(e, base, signed)...)
	}
	return faults, nil
}

func testVerb(f flagSet) func(context.Context, console, []string) error {
	asJSON := f.Bool("json", false, "print JSON")
	return func(_ context.Context, c console, args []string) error { return testAgreement(c.out, args[0], *asJSON) }
}

func showVerb(f flagSet) func(context.Context, console, []string) error {
	language := f.String("lang", "en", "en, fa or ur")
	page := f.String("html", "", "`file` to which it is written as a page, with an anchor for each clause")
	return func(_ context.Context, c console, args []string) error {
		tag, ok := lang.ParseTag(*language)
		if !ok {
			return wrong("--lang must be en, fa or ur")
		}
		if *page != "" {
			return showPage(c.out, args[0], tag, *page)
		}
		return showAgreement(c.out, args[0], tag)
	}
}

func hashVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error { return hashAgreement(c.out, args[0]) }
}

func checkAgreement(w io.Writer, dir string, o outside, asJSON bool) error {
	e, faults, err := checked(dir)
	if err != nil {
		return err
	}
	if e != nil {
		more, err := o.check(e)
		if err != nil {
			return err
		}
		faults = append(faults, more...)
		faults.Sort()
		faults = slices.Compact(faults) // a fault of a condition is found twice
	}
	bad := len(faults.Errors())
	var lacks agreement.Faults
	if e != nil {
		lacks = e.Adoptable()
	}
	if asJSON {
		if err := writeJSON(w, map[string]any{"sound": bad == 0, "faults": nonNil(faults), "lacks": nonNil(lacks)}); err != nil {
			return err
		}
	} else {
		var untested agreement.Faults
		if e != nil {
			untested = e.Untested()
		}
		for _, f := range faults {
			if slices.Contains(untested, f) {
				fmt.Fprint(w, "before it binds: ")
			}
			fmt.Fprintln(w, f)
		}
		for _, f := range lacks {
			fmt.Fprintf(w, "before it binds: %s\n", f)
		}
		fmt.Fprintf(w, "%s, %s\n", count(bad, "fault"), count(len(faults)-bad, "warning"))
	}
	if bad > 0 {
		return problem.Newf(problem.Invalid, "agreement.package", "%s in %s", count(bad, "fault"), dir)
	}
	return nil
}

func nonNil(f agreement.Faults) agreement.Faults {
	if f == nil {
		return agreement.Faults{}
	}
	return f
}

// runnable is what of a package can be asked: its law without the clauses that are at
// fault, and what check wants.
type runnable struct {
	e      *agreement.Edition // with the clauses of the law alone
	law    *rules.Law
	out    []*agreement.Clause // left out of the law
	faults agreement.Faults    // of the package, conditions included
	lacks  agreement.Faults    // days of change on which no scenario asks
}

func runnableOf(dir string) (runnable, error) {
	whole, faults, err := checked(dir)
	if err != nil {
		return runnable{}, err
	}
	if whole == nil {
		return runnable{}, problem.Wrap(problem.Invalid, "agreement.package", faults.Errors())
	}
	r := runnable{lacks: whole.Untested()}
	bad := map[string]bool{}
	for _, f := range faults.Errors() {
		if slices.Contains(r.lacks, f) || slices.Contains(r.faults, f) {
			continue
		}
		r.faults = append(r.faults, f)
		if strings.HasPrefix(f.File, "clauses/") && !strings.HasPrefix(f.What, agreement.NeverInForce) {
			bad[f.Clause] = true
		}
	}
	part := *whole
	r.e = &part
	for {
		part.Clauses, r.out = nil, nil
		for _, c := range whole.Clauses {
			if bad[c.ID] {
				r.out = append(r.out, c)
			} else {
				part.Clauses = append(part.Clauses, c)
			}
		}
		r.law, err = rules.Compile(r.e)
		if err == nil {
			return r, nil
		}
		n := len(bad)
		var more agreement.Faults
		if errors.As(err, &more) {
			for _, f := range more {
				if whole.Clause(f.Clause) != nil {
					bad[f.Clause] = true
				}
			}
		}
		if len(bad) == n { // what is at fault is no clause
			return r, problem.Wrap(problem.Invalid, "agreement.package", err)
		}
	}
}

// touched says why a scenario cannot be asked: it is at fault itself, or a clause is that
// its questions ask. It is empty where it can be.
func (r runnable) touched(s agreement.Scenario) string {
	for _, f := range r.faults {
		if f.File == s.File && (f.Clause == s.ID || f.Clause == "") {
			return f.What
		}
	}
	for _, f := range r.e.Unread() {
		if !strings.HasPrefix(f, "tests/") {
			return f + " could not be read"
		}
	}
	sites := []string{s.Site}
	for _, a := range s.Asks {
		sites = append(sites, a.Site)
	}
	for _, c := range r.out {
		asked := slices.Contains(c.At, s.Point) || len(c.At) == 0 && c.Kind != agreement.KindNote && c.Kind != agreement.KindBound && c.Kind != agreement.KindPower
		here := len(c.Holds) == 0 || slices.ContainsFunc(c.Holds, func(p agreement.Period) bool {
			return len(p.Sites) == 0 || slices.ContainsFunc(sites, func(s string) bool { return slices.Contains(p.Sites, s) })
		})
		if asked && here {
			return "clause " + c.ID + " is at fault"
		}
	}
	return ""
}

func testAgreement(w io.Writer, dir string, asJSON bool) error {
	p, err := runnableOf(dir)
	if err != nil {
		return err
	}
	type line struct {
		ID     string   `json:"id"`
		Title  string   `json:"title"`
		Passed bool     `json:"passed"`
		Wrong  []string `json:"wrong,omitempty"`
		// Unasked says why it was not asked, empty where it was.
		Unasked string `json:"unasked,omitempty"`
		// Verdicts are the answers in their canonical bytes, for comparison with a server's.
		Verdicts [][]byte `json:"verdicts"`
	}
	var lines []line
	bad, unasked := 0, 0
	all := p.e.Tests
	for _, s := range all {
		l := line{ID: s.ID, Title: s.Title, Unasked: p.touched(s)}
		word := "ok  "
		if l.Unasked == "" {
			p.e.Tests = []agreement.Scenario{s}
			r := p.law.Test(p.e)[0]
			l.Passed, l.Wrong = r.Passed(), r.Wrong
			for _, v := range r.Verdicts {
				l.Verdicts = append(l.Verdicts, v.Bytes())
			}
			if !l.Passed {
				bad++
				word = "FAIL"
			}
		} else {
			unasked++
			word = "----"
		}
		lines = append(lines, l)
		if asJSON {
			continue
		}
		fmt.Fprintf(w, "%s %s: %s\n", word, s.ID, s.Title)
		if l.Unasked != "" {
			fmt.Fprintf(w, "     %s:%d: not asked: %s\n", s.File, s.Line, l.Unasked)
		}
		for _, x := range l.Wrong {
			fmt.Fprintf(w, "     %s:%d: %s\n", s.File, s.Line, x)
		}
	}
	passed := bad == 0 && len(lines) > 0 && len(p.faults) == 0
	if asJSON {
		if err := writeJSON(w, map[string]any{"passed": passed, "scenarios": lines, "faults": nonNil(p.faults), "untested": nonNil(p.lacks)}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%s, %d not as expected", count(len(lines), "scenario"), bad)
		if unasked > 0 {
			fmt.Fprintf(w, ", %d not asked", unasked)
		}
		fmt.Fprintln(w)
		if len(p.faults)+len(p.lacks) > 0 {
			fmt.Fprintln(w, "check still wants")
		}
		for _, f := range p.faults {
			fmt.Fprintf(w, "  %s\n", f)
		}
		if n := len(p.lacks); n > 0 {
			fmt.Fprintf(w, "  %s on days of change: darwaza agreement check names the days\n", count(n, "scenario"))
		}
	}
	switch {
	case bad > 0:
		return problem.Newf(problem.Invalid, "agreement.scenarios", "%s of %s not as expected", count(bad, "scenario"), dir)
	case len(lines) == 0:
		return problem.Newf(problem.Invalid, "agreement.untested", "%s has no scenarios", dir)
	case len(p.faults) > 0:
		return problem.Newf(problem.Invalid, "agreement.package", "%s in %s", count(len(p.faults), "fault"), dir)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func showAgreement(w io.Writer, dir string, tag lang.Tag) error {
	e, err := sound(dir)
	if err != nil {
		return err
	}
	return showEdition(w, e, tag)
}

// showEdition prints all that an edition says, as a reader would want it.
func showEdition(w io.Writer, e *agreement.Edition, tag lang.Tag) error {
	fmt.Fprintf(w, "%s\n%s, edition %d\n", e.Title.In(tag), e.ID, e.Number)
	// Dates are the agreement's own, by its clock.
	clock, err := calendar.Zone(e.Zone)
	if err != nil {
		return problem.Wrap(problem.Internal, "agreement.zone", err)
	}
	fmt.Fprintf(w, "in force from %s", e.From.In(clock).Format("2006-01-02 15:04"))
	if !e.Until.IsZero() {
		fmt.Fprintf(w, " until before %s", e.Until.In(clock).Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(w, " (%s)", e.Zone)
	fmt.Fprintf(w, "\nhash %x\n", e.Hash)
	for _, t := range terms(e) {
		fmt.Fprintln(w, t)
	}
	if n := e.Note.In(tag); n != "" {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	for _, id := range e.InOrder() {
		fmt.Fprintf(w, "\n== %s: %s [%s]\n   %s\n", id, e.Instruments[id].Title.In(tag), e.Instruments[id].Status, e.InstrumentText(id))
		for _, c := range e.ClausesOf(id) {
			showClause(w, e, tag, c)
		}
	}
	fmt.Fprintf(w, "\n== numbers\n")
	for _, id := range sorted(e.Parameters) {
		p := e.Parameters[id]
		fmt.Fprintf(w, "\n%s (%s)\n   %s\n", id, p.Unit, p.Text.In(tag))
		for _, v := range p.Values {
			fmt.Fprintf(w, "   %s (%s)\n", agreement.ValueText(v, p.Unit), v.Source)
		}
	}
	showLists(w, e, tag)
	fmt.Fprintf(w, "\n== questions\n")
	for _, id := range sorted(e.Questions) {
		q := e.Questions[id]
		fmt.Fprintf(w, "\n%s (read by: %s)\n   %s\n   %s\n", id, q.By, q.Asks.In(tag), q.Reading.In(tag))
		if q.Words != "" {
			fmt.Fprintf(w, "   open, because %s\n", q.Words)
		}
		for _, x := range q.Later {
			fmt.Fprintf(w, "   from %s (read by: %s)%s: %s (%s)\n", x.From, x.By, dates(agreement.Moment{}, agreement.Moment{}, x.Published), x.Reading.In(tag), strings.TrimSpace(x.Instrument+" "+x.Source))
		}
	}
	showSites(w, e, tag)
	return nil
}

// dates writes a period and the day on which something became known, each after a space.
func dates(from, until agreement.Moment, published calendar.Date) string {
	s := ""
	if !from.IsZero() {
		s += " from " + from.String()
	}
	if !until.IsZero() {
		s += " until before " + until.String()
	}
	if !published.IsZero() {
		s += " published on " + published.String()
	}
	return s
}

// showClause prints what a clause says, what it tells people, and how the program reads it.
func showClause(w io.Writer, e *agreement.Edition, tag lang.Tag, c *agreement.Clause) {
	fmt.Fprintf(w, "\n%s\n   %s\n", c.ID, c.Text.In(tag))
	for _, x := range []struct {
		word string
		text lang.Text
	}{{"told", c.Say}, {"next", c.Next}} {
		if s := x.text.In(tag); s != "" {
			fmt.Fprintf(w, "   %s: %s\n", label(tag, x.word), s)
		}
	}
	for _, r := range e.Reading(c) {
		fmt.Fprintf(w, "     %s\n", r)
	}
}

// showLists prints lists with their items, and tables with their rows.
func showLists(w io.Writer, e *agreement.Edition, tag lang.Tag) {
	if len(e.ListInfo) > 0 {
		fmt.Fprintf(w, "\n== lists\n")
	}
	for _, id := range sorted(e.ListInfo) {
		l := e.ListInfo[id]
		fmt.Fprintf(w, "\n%s (%s)\n   %s; %s\n", id, l.Kind, l.Title.In(tag), l.Source)
		if l.Absent {
			fmt.Fprintf(w, "   %s\n", label(tag, "absent"))
		}
		if l.Partial {
			fmt.Fprintf(w, "   %s\n", label(tag, "partial"))
		}
		if s := l.Open.In(tag); s != "" {
			fmt.Fprintf(w, "   %s %s\n", label(tag, "open"), s)
		}
		for _, k := range sorted(l.Categories) {
			fmt.Fprintf(w, "   category %s: %s\n", k, strings.TrimSpace(l.Categories[k].In(tag)+" "+l.Rates[k]))
		}
		for _, x := range e.Items(id) {
			fmt.Fprintf(w, "   %s  %s", x.ID, x.Name.In(tag))
			if x.About != "" {
				fmt.Fprintf(w, " (%s)", x.About)
			}
			fmt.Fprintln(w)
		}
	}
	for _, id := range sorted(e.RuleSets) {
		s := e.RuleSets[id]
		fmt.Fprintf(w, "\n== rules for health certificates %s\n   %s; %s\n", id, s.Title.In(tag), s.Source)
		if s.Arrival != "" {
			fmt.Fprintf(w, "   arrival %s\n", strings.TrimSpace(s.Arrival+" "+s.Region))
		}
		for _, r := range s.Rules.Rules() {
			fmt.Fprintf(w, "   %s %s  %s\n", r.ID, r.Version, r.About())
		}
		for _, k := range sorted(s.Values) {
			fmt.Fprintf(w, "   value set %s, %d codes: %s\n", k, len(s.Values[k]), strings.Join(s.Values[k], ", "))
		}
	}
	for _, id := range sorted(e.Tables) {
		t := e.Tables[id]
		fmt.Fprintf(w, "\n== table %s\n   %s; %s\n", id, t.Title.In(tag), t.Source)
		for _, r := range t.Rows {
			fmt.Fprintf(w, "   %s\n", t.RowText(r))
		}
	}
}

// showSites prints sites with gates, hours and slots, and what clauses may read.
func showSites(w io.Writer, e *agreement.Edition, tag lang.Tag) {
	fmt.Fprintf(w, "\n== sites\n")
	for _, s := range e.Sites {
		fmt.Fprintf(w, "\n%s (%s)%s\n   %s\n", s.ID, s.Zone, dates(s.From, agreement.Moment{}, calendar.Date{}), s.Name.In(tag))
		if s.Source != "" {
			fmt.Fprintf(w, "   %s\n", s.Source)
		}
		for _, g := range s.Gates {
			fmt.Fprintf(w, "   gate %d of side %s: %s\n", g.Number, g.Side, g.Name.In(tag))
		}
		if e.Schedules[s.ID] == nil {
			fmt.Fprintf(w, "   %s\n", label(tag, "noschedule"))
		}
		for _, x := range e.HoursText(s.ID) {
			fmt.Fprintf(w, "   %s\n", x)
		}
	}
	fmt.Fprintf(w, "\n== what clauses may read\n\n")
	for _, id := range sorted(e.Attributes) {
		a := e.Attributes[id]
		fmt.Fprintf(w, "%s: %s; %s", id, a.Name.In(tag), attributeAbout(a))
		if a.Sensitive {
			fmt.Fprintf(w, "; %s", label(tag, "health"))
		}
		fmt.Fprintln(w)
	}
	for _, id := range sorted(e.Shares) {
		s := e.Shares[id]
		fmt.Fprintf(w, "sharing %s: %s; %s of %s; %s [%s]\n", id, s.Text.In(tag), strings.Join(s.Told(), ", "), strings.Join(s.Facts, ", "), strings.Join(s.With, ", "), s.Source)
	}
	for _, id := range sorted(e.Events) {
		fmt.Fprintf(w, "event %s: %s; %s\n", id, e.Events[id].Name.In(tag), strings.Join(e.Events[id].Fields, ", "))
	}
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// read reads a package that may still have faults that do not touch its bytes.
func read(dir string) (*agreement.Edition, error) {
	e, _, err := checked(dir)
	if err == nil && e == nil {
		err = problem.Newf(problem.Invalid, "agreement.package", "%s is no agreement package; darwaza agreement check says why", dir)
	}
	return e, err
}

func hashAgreement(w io.Writer, dir string) error {
	e, err := read(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%x\n", e.Hash)
	_, err = w.Write(e.Bytes())
	return err
}
