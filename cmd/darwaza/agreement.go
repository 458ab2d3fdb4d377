// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
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
darwaza agreement VERB --help lists the flags of one. The exit status is 0 where all is well.
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
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	var list strings.Builder
	for _, v := range verbs() {
		fmt.Fprintf(&list, "  darwaza agreement %s\n        %s\n", v.name+" "+v.args, v.short)
	}
	for _, v := range verbs() {
		if v.name != name {
			continue
		}
		f := flags(c, "agreement "+v.name, v.args, strings.ToUpper(v.short[:1])+v.short[1:]+".")
		work := v.set(f)
		rest, err := mixed(f, args)
		switch {
		case err != nil:
			return err
		case len(rest) > v.most:
			return wrong("%q is one argument too many", rest[v.most])
		case len(rest) < v.least:
			return wrong("want darwaza agreement %s %s", v.name, v.args)
		}
		return work(ctx, c, rest)
	}
	f := flags(c, "agreement", "VERB PACKAGE", fmt.Sprintf(aboutAgreement, list.String()))
	if err := parse(f, args, 0); err != nil {
		return err
	}
	return wrong("%q is nothing that can be done with an agreement; darwaza help agreement lists what is", name)
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
		for _, f := range faults {
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

func testAgreement(w io.Writer, dir string, asJSON bool) error {
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return err
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	law, err := rules.Compile(e)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	type line struct {
		ID     string   `json:"id"`
		Title  string   `json:"title"`
		Passed bool     `json:"passed"`
		Wrong  []string `json:"wrong,omitempty"`
		// Verdicts are the answers in their canonical bytes, for comparison with a server's.
		Verdicts [][]byte `json:"verdicts"`
	}
	var lines []line
	bad := 0
	for _, r := range law.Test(e) {
		l := line{ID: r.Scenario.ID, Title: r.Scenario.Title, Passed: r.Passed(), Wrong: r.Wrong}
		for _, v := range r.Verdicts {
			l.Verdicts = append(l.Verdicts, v.Bytes())
		}
		lines = append(lines, l)
		if !r.Passed() {
			bad++
		}
		if asJSON {
			continue
		}
		word := "ok  "
		if !r.Passed() {
			word = "FAIL"
		}
		fmt.Fprintf(w, "%s %s: %s\n", word, r.Scenario.ID, r.Scenario.Title)
		for _, x := range r.Wrong {
			fmt.Fprintf(w, "     %s:%d: %s\n", r.Scenario.File, r.Scenario.Line, x)
		}
	}
	if asJSON {
		if err := writeJSON(w, map[string]any{"passed": bad == 0 && len(lines) > 0, "scenarios": lines}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%s, %d not as expected\n", count(len(lines), "scenario"), bad)
	}
	switch {
	case len(lines) == 0:
		return problem.Newf(problem.Invalid, "agreement.untested", "%s has no scenarios", dir)
	case bad > 0:
		return problem.Newf(problem.Invalid, "agreement.scenarios", "%s of %s not as expected", count(bad, "scenario"), dir)
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
	if n := e.Note.In(tag); n != "" {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	for _, id := range sorted(e.Instruments) {
		i := e.Instruments[id]
		fmt.Fprintf(w, "\n== %s [%s]\n   %s\n", i.Title.In(tag), i.Status, i.Source)
		for _, c := range e.Clauses {
			if c.Instrument == id {
				fmt.Fprintf(w, "\n%s\n   %s\n", c.ID, c.Text.In(tag))
			}
		}
	}
	fmt.Fprintf(w, "\n== numbers\n")
	for _, id := range sorted(e.Parameters) {
		p := e.Parameters[id]
		fmt.Fprintf(w, "\n%s (%s)\n   %s\n", id, p.Unit, p.Text.In(tag))
		for _, v := range p.Values {
			where := strings.TrimSpace(v.Site + " " + string(v.Side))
			if where != "" {
				where = " [" + where + "]"
			}
			fmt.Fprintf(w, "   from %s%s: %s (%s)\n", v.From, where, v.Text, v.Source)
		}
	}
	fmt.Fprintf(w, "\n== questions\n")
	for _, id := range sorted(e.Questions) {
		q := e.Questions[id]
		fmt.Fprintf(w, "\n%s (read by: %s)\n   %s\n   %s\n", id, q.By, q.Asks.In(tag), q.Reading.In(tag))
	}
	return nil
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
