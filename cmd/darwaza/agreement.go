// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

const aboutAgreement = `
Works on an agreement package, a folder:

  check DIR                          say all that is wrong with it, and how to mend it
  test DIR                           run the scenarios that lie beside the text
  show DIR                           print it as a reader would want it, in a language
  hash DIR                           print its hash and the bytes that both sides sign
  keys DIR [FILE...]                 put public keys into it; with no file, list those in it
  sign --side A|B --key FILE DIR     sign it with a side's root key
  verify DIR                         check the signatures of both sides

The exit status is 0 where all is well.
`

// runAgreement checks, tests, shows, signs and verifies an agreement package.
func runAgreement(_ context.Context, c console, args []string) error {
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	f := flags(c, "agreement", "check|test|show|hash|keys|sign|verify DIR", aboutAgreement)
	asJSON := f.Bool("json", false, "check and test: print JSON")
	language := f.String("lang", "en", "show: en, fa or ur")
	side := f.String("side", "", "sign: A or B")
	key := f.String("key", "", "sign: file of the side's root key, as darwaza init makes it")
	rest := 1
	if verb == "keys" {
		rest = 3
	}
	if err := parse(f, args, rest); err != nil {
		return err
	}
	work := map[string]func(dir string) error{
		"check":  func(dir string) error { return checkAgreement(c.out, dir, *asJSON) },
		"test":   func(dir string) error { return testAgreement(c.out, dir, *asJSON) },
		"show":   func(dir string) error { return showAgreement(c.out, dir, lang.Tag(*language)) },
		"hash":   func(dir string) error { return hashAgreement(c.out, dir) },
		"keys":   func(dir string) error { return keysAgreement(c.out, dir, f.Args()[1:]) },
		"sign":   func(dir string) error { return signAgreement(c.out, dir, *side, *key) },
		"verify": func(dir string) error { return verifyAgreement(c.out, dir) },
	}[verb]
	if work == nil {
		return wrong("%q is nothing that can be done with an agreement; darwaza help agreement lists what is", verb)
	}
	if f.NArg() == 0 {
		return wrong("name the folder of the package")
	}
	return work(f.Arg(0))
}

// checked reads a package and everything that is wrong with it, conditions included.
func checked(dir string) (*agreement.Edition, agreement.Faults, error) {
	if i, err := os.Stat(dir); err != nil || !i.IsDir() {
		return nil, nil, problem.Newf(problem.NotFound, "agreement.folder", "there is no folder %s", dir)
	}
	e, faults := agreement.Check(os.DirFS(dir))
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

func checkAgreement(w io.Writer, dir string, asJSON bool) error {
	e, faults, err := checked(dir)
	if err != nil {
		return err
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
	if _, err := os.Stat(dir); err != nil {
		return problem.Newf(problem.NotFound, "agreement.folder", "there is no folder %s", dir)
	}
	e, err := agreement.Load(os.DirFS(dir))
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
	if !slices.Contains(lang.Tags[:], tag) {
		return wrong("--lang must be en, fa or ur")
	}
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

func keysAgreement(w io.Writer, dir string, files []string) error {
	if _, err := read(dir); err != nil {
		return err
	}
	add := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return problem.Newf(problem.NotFound, "keys.file", "%w", err)
		}
		name := filepath.Base(f)
		if name != "A.yaml" && name != "B.yaml" {
			return wrong("%s is not named A.yaml or B.yaml, as darwaza init names it", f)
		}
		if add["keys/"+name] != nil {
			return wrong("two files of one side; a key of each side is wanted")
		}
		add["keys/"+name] = b
		// The certificates that darwaza init laid beside the keys go with them.
		certs, err := filepath.Glob(filepath.Join(filepath.Dir(f), strings.TrimSuffix(name, ".yaml")+"-*.cert"))
		if err != nil {
			return problem.Newf(problem.Invalid, "keys.file", "%w", err)
		}
		for _, c := range certs {
			if add["keys/"+filepath.Base(c)], err = os.ReadFile(c); err != nil {
				return problem.Newf(problem.NotFound, "keys.file", "%w", err)
			}
		}
	}
	// The package is read with the files in it before anything is written.
	with, err := agreement.Overlay(os.DirFS(dir), add)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	e, faults := agreement.Check(with)
	for _, x := range faults.Errors() {
		if _, mine := add[x.File]; mine || e == nil {
			return problem.Newf(problem.Invalid, "keys.file", "%s", x)
		}
	}
	for _, name := range sorted(add) {
		if err := writeFile(dir, name, add[name]); err != nil {
			return err
		}
	}
	for _, s := range []agreement.Side{agreement.A, agreement.B} {
		k := e.Parties[s].Keys
		if k.Root == nil {
			fmt.Fprintf(w, "%s none\n", s)
			continue
		}
		root := sha256.Sum256(k.Root)
		fmt.Fprintf(w, "%s root SHA-256 %s\n  log %s\n", s, groups(root[:]), k.Log)
	}
	return nil
}

// groups writes a fingerprint so that it can be read out over a telephone.
func groups(b []byte) string {
	var parts []string
	for i := 0; i+4 <= len(b); i += 4 {
		parts = append(parts, fmt.Sprintf("%x", b[i:i+4]))
	}
	return strings.Join(parts, " ")
}

func writeFile(dir, name string, b []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		return problem.Wrap(problem.Internal, "agreement.write", err)
	}
	return nil
}

func signAgreement(w io.Writer, dir, side, keyFile string) error {
	s := agreement.Side(strings.ToUpper(side))
	if !s.Valid() {
		return wrong("--side must be A or B")
	}
	if keyFile == "" {
		return wrong("--key names the file of the root key")
	}
	e, err := sound(dir)
	if err != nil {
		return err
	}
	root, err := rootKey(keyFile)
	if err != nil {
		return err
	}
	path, sig, err := agreement.Sign(e, s, root)
	if err != nil {
		return problem.Wrap(problem.Untrusted, "agreement.key", err)
	}
	if err := writeFile(dir, path, sig); err != nil {
		return err
	}
	fmt.Fprintf(w, "side %s signed edition %d of %s\nhash %x\n", s, e.Number, e.ID, e.Hash)
	return nil
}

func rootKey(file string) (*ecdsa.PrivateKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		kind := problem.Internal
		if errors.Is(err, fs.ErrNotExist) {
			kind = problem.NotFound
		}
		return nil, problem.Newf(kind, "agreement.key", "%w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, problem.Newf(problem.Invalid, "agreement.key", "%s is not PEM", file)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, problem.Newf(problem.Invalid, "agreement.key", "%s is not a key", file)
	}
	root, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, problem.Newf(problem.Invalid, "agreement.key", "%s is not a P-256 key", file)
	}
	return root, nil
}

func verifyAgreement(w io.Writer, dir string) error {
	e, err := read(dir)
	if err != nil {
		return err
	}
	for _, s := range []agreement.Side{agreement.A, agreement.B} {
		switch err := agreement.VerifySide(e, s); {
		case err == nil:
			root := sha256.Sum256(e.Parties[s].Keys.Root)
			fmt.Fprintf(w, "side %s signed, with the root key SHA-256 %s\n", s, groups(root[:]))
		case errors.Is(err, agreement.ErrNoKey):
			fmt.Fprintf(w, "side %s has no key in the package\n", s)
		case errors.Is(err, agreement.ErrUnsigned):
			fmt.Fprintf(w, "side %s has not signed\n", s)
		default:
			fmt.Fprintf(w, "side %s: the signature does not hold\n", s)
		}
	}
	if err := agreement.Verify(e); err != nil {
		return problem.Wrap(problem.Untrusted, "agreement.signature", err)
	}
	fmt.Fprintf(w, "both sides signed edition %d of %s\nhash %x\n", e.Number, e.ID, e.Hash)
	return nil
}
