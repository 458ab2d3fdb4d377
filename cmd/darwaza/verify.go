// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/picture"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
)

const verifyAbout = `
Says of a health certificate what it is, whether it is genuine, and why not. CODE is the text
of its QR code, or a file that holds it, or a picture of it; "-" reads the text from the
standard input. A card in several QR codes is given whole, a code on each line of a file.
Each reason and note comes with what to do next and with its code, which docs/reasons.md lists.

Keys are trusted where --trust names them, once or more: a trust list of the WHO (a DID
document), a list of the EU's gateway, a folder of certificates whose file names are the key
ids, a certificate, a key set or a directory of issuers of SMART Health Cards, a list that the
two sides of an agreement have signed (with --sides, a PEM file with the public key of A and
then of B), a batch or a list of revocations. Nothing is fetched.

The status is 0 where every certificate is genuine, and that of "untrusted" where one is not.
`

// stringList is a flag that may be given several times.
type stringList []string

func (l *stringList) String() string { return strings.Join(*l, ", ") }

// Set adds a value.
func (l *stringList) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// maxInput bounds what is read of a file or the standard input.
const maxInput = 64 << 20

func runVerify(_ context.Context, c console, args []string) error {
	fl := flags(c, "verify", "CODE|FILE|PICTURE [--trust FILE|DIR]... [--at TIME] [--json]", verifyAbout)
	var trusted stringList
	fl.Var(&trusted, "trust", "trusted keys or revocations: a `file` or a folder; may be given several times")
	sides := fl.String("sides", "", "a PEM `file` with the public keys of sides A and B")
	when := fl.String("at", "", "the `time` to judge at, as 2026-11-24T12:00:00Z; now where it is left out")
	asJSON := fl.Bool("json", false, "print JSON")
	rest, err := parseMixed(fl, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return wrong("want one certificate: its text, a file or a picture")
	}
	at := time.Now()
	if *when != "" {
		if at, err = parseAt(*when); err != nil {
			return err
		}
	}
	lists, err := readTrust(trusted, *sides)
	if err != nil {
		return err
	}
	text, err := readCode(c, rest[0])
	if err != nil {
		return err
	}
	rs := verify.Text(text, lists, lists, at)
	if err := printResults(c.out, rs, at, *asJSON); err != nil {
		return err
	}
	for i := range rs {
		if !rs[i].Genuine() {
			return problem.Newf(problem.Untrusted, "proof", "not genuine")
		}
	}
	return nil
}

// parseMixed reads flags and arguments in any order.
func parseMixed(fl flagSet, args []string) ([]string, error) {
	var rest []string
	for {
		err := fl.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			fl.help()
			return nil, err
		case err != nil:
			word, _, _ := strings.Cut(fl.Name(), " ")
			return nil, wrong("%w; darwaza help %s lists the flags", err, word)
		}
		if fl.NArg() == 0 {
			return rest, nil
		}
		// What follows "--" is no flag, though a flag's package does not say that it was there.
		if n := len(args) - fl.NArg(); n > 0 && args[n-1] == "--" {
			return append(rest, fl.Args()...), nil
		}
		rest, args = append(rest, fl.Arg(0)), fl.Args()[1:]
	}
}

// parseAt reads the time of --at, with its offset from UTC.
func parseAt(s string) (time.Time, error) { return parseTime("--at", s) }

// parseTime reads a time of the command line, with its offset from UTC.
func parseTime(flag, s string) (time.Time, error) {
	d, err := proof.ParseDate(s)
	if err != nil || d.Precision != proof.Second || !d.HasOffset {
		return time.Time{}, wrong("%s is not a time, such as 2026-11-24T12:00:00Z", flag)
	}
	at, _ := d.First(time.UTC)
	return at, nil
}

// readCode returns the text of a certificate that an argument names or is.
func readCode(c console, arg string) ([]byte, error) {
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(c.in, maxInput+1))
		if err == nil && len(b) > maxInput {
			err = problem.Newf(problem.Limit, "verify.input", "the input is too large")
		}
		if err != nil || !picture.Is(b) {
			return b, err
		}
		text, err := picture.Text(b, picture.MaxPixels)
		return []byte(text), err
	}
	// A code is longer than any path, and the shorter ones begin like none.
	info, err := os.Stat(arg)
	if err != nil || info.IsDir() {
		if err == nil {
			return nil, wrong("%s is a folder", arg)
		}
		for _, prefix := range []string{"HC1:", "shc:/", "{"} {
			if strings.HasPrefix(strings.TrimSpace(arg), prefix) {
				return []byte(arg), nil
			}
		}
		if len(arg) < 200 && !strings.ContainsAny(arg, " :") {
			return nil, problem.Newf(problem.NotFound, "verify.file", "there is no file %q, and it is no code", arg)
		}
		return []byte(arg), nil
	}
	b, err := readBounded(arg, maxInput)
	if err != nil {
		return nil, err
	}
	if !picture.Is(b) {
		return b, nil
	}
	text, err := picture.Text(b, picture.MaxPixels)
	return []byte(text), err
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(problem.NotFound, "file", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = problem.Newf(problem.Limit, "file", "%s is too large", path)
	}
	return b, err
}

// readSides reads the public keys of A and of B, nil where no file is named.
func readSides(file string) (trust.Opener, error) {
	if file == "" {
		return nil, nil
	}
	b, err := readBounded(file, 1<<16)
	if err != nil {
		return nil, err
	}
	return post.ReadSides(b)
}

// readTrust reads what --trust names. A file that is none of a list's forms is a fault of
// the command line; in a folder it is passed over.
func readTrust(names []string, sides string) (*verify.Lists, error) {
	lists := verify.NewLists(trust.Limits{})
	open, err := readSides(sides)
	if err != nil {
		return nil, err
	}
	add := func(path string, folder bool) error {
		b, err := readBounded(path, maxInput)
		if err != nil {
			return err
		}
		err = lists.AddFile(path, b, time.Time{}, open)
		if err == nil || folder && errors.Is(err, trust.ErrForm) {
			return nil
		}
		return problem.Newf(problem.Invalid, "trust", "%s: %w", path, err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, problem.Wrap(problem.NotFound, "trust", err)
		}
		if !info.IsDir() {
			if err := add(name, false); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return add(path, true)
		})
		if err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// A shownEvent is an event as the command prints it: whoever runs it holds the certificate.
type shownEvent struct {
	Kind    proof.Kind       `json:"kind"`
	Disease proof.Disease    `json:"disease,omitempty"`
	Code    string           `json:"diseaseCode,omitempty"`
	On      string           `json:"on,omitempty"`
	Product string           `json:"product,omitempty"`
	Dose    int              `json:"dose,omitempty"`
	Of      int              `json:"of,omitempty"`
	Test    proof.TestKind   `json:"test,omitempty"`
	Result  proof.TestResult `json:"result,omitempty"`
	From    string           `json:"from,omitempty"`
	Until   string           `json:"until,omitempty"`
	Country string           `json:"country,omitempty"`
	Issuer  string           `json:"issuer,omitempty"`
	ID      string           `json:"id,omitempty"`
}

type shownResult struct {
	Genuine  bool          `json:"genuine"`
	Format   proof.Format  `json:"format,omitempty"`
	Reasons  []proof.Fault `json:"reasons"`
	Notes    []proof.Fault `json:"notes"`
	At       string        `json:"at"`
	Signed   bool          `json:"signed"`
	KeyID    string        `json:"keyId,omitempty"`
	List     string        `json:"list,omitempty"`
	Issuer   string        `json:"issuer,omitempty"`
	Country  string        `json:"country,omitempty"`
	Version  string        `json:"version,omitempty"`
	Name     string        `json:"name,omitempty"`
	NameICAO string        `json:"nameICAO,omitempty"`
	Birth    string        `json:"birth,omitempty"`
	IssuedAt string        `json:"issuedAt,omitempty"`
	From     string        `json:"from,omitempty"`
	Until    string        `json:"until,omitempty"`
	Events   []shownEvent  `json:"events"`
}

func shown(r *proof.Result, at time.Time) shownResult {
	s := shownResult{Genuine: r.Genuine(), Format: r.Format, Reasons: append([]proof.Fault{}, r.Faults...), Notes: append([]proof.Fault{}, r.Notes...),
		At: at.UTC().Format(time.RFC3339), Signed: r.Checked, Events: []shownEvent{}}
	if len(r.KeyID) > 0 {
		s.KeyID = base64.StdEncoding.EncodeToString(r.KeyID)
		if r.Format == proof.SHC {
			s.KeyID = string(r.KeyID)
		}
	}
	if r.Key != nil {
		s.List = r.Key.List
	}
	c := r.Claims
	if c == nil {
		return s
	}
	s.Issuer, s.Country, s.Version = c.Issuer, c.Country, c.Version
	s.Name, s.NameICAO = c.Holder.Name(), c.Holder.NameICAO()
	if b := c.Holder.Birth; b.Year != 0 {
		s.Birth = proof.Date{Precision: birthPrecision(b.Month, b.Day), Year: b.Year, Month: time.Month(b.Month), Day: b.Day}.String()
	}
	instant := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	s.IssuedAt, s.From, s.Until = instant(c.IssuedAt), instant(c.From), instant(c.Until)
	for i := range c.Events {
		e := &c.Events[i]
		s.Events = append(s.Events, shownEvent{e.Kind, e.Disease, e.DiseaseCode.Value, e.On.String(), e.Product.Value, e.Dose, e.Of, e.TestKind, e.Result,
			e.From.String(), e.Until.String(), e.Country, e.Issuer, e.ID})
	}
	return s
}

func birthPrecision(month, day int) proof.Precision {
	switch {
	case month == 0:
		return proof.Year
	case day == 0:
		return proof.Month
	}
	return proof.Day
}

// printResults prints what was found: an object for one certificate, an array for more.
func printResults(w io.Writer, rs []proof.Result, at time.Time, asJSON bool) error {
	texts, err := lang.Load()
	if err != nil {
		return err
	}
	var all []shownResult
	for i := range rs {
		all = append(all, shown(&rs[i], at))
	}
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if len(all) == 1 {
			return e.Encode(all[0])
		}
		every := len(all) > 0
		for _, s := range all {
			every = every && s.Genuine
		}
		return e.Encode(struct {
			Genuine      bool          `json:"genuine"`
			Certificates []shownResult `json:"certificates"`
		}{every, all})
	}
	for i, s := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printResult(w, texts, s)
	}
	return nil
}

var formatNames = map[proof.Format]string{
	proof.DCC: "EU digital COVID certificate (HCERT)", proof.DVC: "WHO digital vaccination certificate (HCERT)",
	proof.SHC: "SMART Health Card", proof.VDSNC: "ICAO visible digital seal (VDS-NC)",
}

// printResult prints one certificate. Of each reason it says what pages say of it, what to
// do next, and its code for whoever looks it up.
func printResult(w io.Writer, texts *lang.Catalogue, s shownResult) {
	name := formatNames[s.Format]
	if name == "" {
		name = "no health certificate that is known"
	}
	word := "genuine"
	if !s.Genuine {
		word = "NOT genuine"
	}
	fmt.Fprintf(w, "%s: %s\n", name, word)
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-9s %s\n", what, value)
		}
	}
	say := func(what string, codes []proof.Fault) {
		for _, f := range codes {
			line(what, fmt.Sprintf("%s (%s)", texts.Say(lang.EN, "reason."+string(f), nil), f))
			line("next", texts.Say(lang.EN, "next."+string(f), nil))
		}
	}
	say("reason", s.Reasons)
	say("note", s.Notes)
	line("name", s.Name)
	line("born", s.Birth)
	line("issuer", strings.TrimSpace(s.Issuer+" "+s.Country))
	line("key", s.KeyID)
	line("from", s.From)
	line("until", s.Until)
	for _, e := range s.Events {
		words := []string{string(e.Kind), string(e.Disease), e.On, e.Product, string(e.Test), string(e.Result)}
		switch {
		case e.Dose > 0 && e.Of > 0:
			words = append(words, fmt.Sprintf("dose %d of %d", e.Dose, e.Of))
		case e.Dose > 0:
			words = append(words, fmt.Sprintf("dose %d", e.Dose))
		}
		if e.Until != "" {
			words = append(words, "until "+e.Until)
		}
		line("event", strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ", "))
	}
}
