// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
)

// firstPackage is the package that new writes.
//
//go:embed template
var firstPackage embed.FS

func newVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		fsys, err := templatePackage()
		if err != nil {
			return err
		}
		if err := writeFolder(args[0], fsys); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s holds a small package whose comments say what is what. Next:\n  darwaza agreement check %[1]s\n  darwaza agreement test %[1]s\n", args[0])
		return nil
	}
}

func templatePackage() (fs.FS, error) {
	dir, err := fs.Sub(firstPackage, "template")
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.template", err)
	}
	b, err := fs.ReadFile(dir, "agreement.yaml")
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "agreement.template", err)
	}
	b = bytes.Replace(b, []byte("{{ZONEDATA}}"), []byte(calendar.ZoneVersion), 1)
	out, err := agreement.Overlay(dir, map[string][]byte{"agreement.yaml": b})
	return out, problem.Wrap(problem.Internal, "agreement.template", err)
}

func bundleVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		e, err := read(args[0])
		if err != nil {
			return err
		}
		fsys, err := post.OpenPackage(args[0])
		if err != nil {
			return err
		}
		b, err := agreement.Bundle(fsys)
		if err != nil {
			return problem.Wrap(problem.Invalid, "agreement.package", err)
		}
		if info, err := os.Stat(args[1]); err == nil && !info.Mode().IsRegular() {
			return problem.Newf(problem.Conflict, "agreement.bundle", "%s is there already and is no file", args[1])
		}
		if err := place(args[1], b); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s holds edition %d of %s, %d bytes\nhash %x\n", args[1], e.Number, e.ID, len(b), e.Hash)
		return nil
	}
}

func diffVerb(f flagSet) func(context.Context, console, []string) error {
	asJSON := f.Bool("json", false, "print JSON")
	texts := f.Bool("texts", false, "tell of names, texts and sources too, not only how many changed")
	all := f.Bool("all", false, "tell of every item of a list, every scenario and every file, not of ten")
	patch := f.String("patch", "", "`file` to which the change is written as a patch, with the new edition's signatures")
	return func(_ context.Context, c console, args []string) error {
		return diffAgreements(c.out, args[0], args[1], telling{*asJSON, *texts, *all}, *patch)
	}
}

// telling is how changes are printed: as JSON, which has them all, or in lines.
type telling struct{ asJSON, texts, all bool }

func diffAgreements(w io.Writer, before, after string, how telling, patch string) error {
	a, unread, err := readable(before)
	if err != nil {
		return err
	}
	b, more, err := readable(after)
	if err != nil {
		return err
	}
	changes := agreement.Diff(a, b)
	if how.asJSON {
		type edition struct {
			Agreement string `json:"agreement"`
			Edition   int    `json:"edition"`
			Hash      string `json:"hash"`
		}
		if changes == nil {
			changes = []agreement.Change{}
		}
		if err := writeJSON(w, map[string]any{"old": edition{a.ID, a.Number, fmt.Sprintf("%x", a.Hash[:])}, "new": edition{b.ID, b.Number, fmt.Sprintf("%x", b.Hash[:])}, "changes": changes, "faults": unread + more}); err != nil {
			return err
		}
	} else {
		if unread+more > 0 {
			fmt.Fprintf(w, "the two have %s, and what cannot be read counts as taken out: see darwaza agreement check\n", count(unread+more, "fault"))
		}
		for _, x := range agreement.Tell(changes, how.texts, how.all) {
			fmt.Fprintln(w, x)
		}
		fmt.Fprintf(w, "%s\n", count(len(changes), "change"))
	}
	if patch == "" {
		return nil
	}
	x, err := post.OpenPackage(before)
	if err != nil {
		return err
	}
	y, err := post.OpenPackage(after)
	if err != nil {
		return err
	}
	p, err := agreement.MakePatch(x, y)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.patch", err)
	}
	return place(patch, p)
}

// readable reads a package as far as it can be, and says how many faults it has.
func readable(dir string) (*agreement.Edition, int, error) {
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return nil, 0, err
	}
	e, faults := agreement.Check(fsys)
	if e == nil {
		return nil, 0, problem.Newf(problem.Invalid, "agreement.package", "%s is no agreement package; darwaza agreement check says why", dir)
	}
	return e, len(faults.Errors()), nil
}

func applyVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		return applyPatch(c.out, args[0], args[1], args[2])
	}
}

func applyPatch(w io.Writer, old, patch, dir string) error {
	base, err := post.OpenPackage(old)
	if err != nil {
		return err
	}
	info, err := os.Stat(patch)
	switch {
	case err != nil:
		return problem.Newf(problem.NotFound, "agreement.patch", "there is no patch %s", patch)
	case !info.Mode().IsRegular() || info.Size() > agreement.MaxBundle:
		return problem.Newf(problem.Invalid, "agreement.patch", "%s is no patch: it is no file, or larger than %d bytes", patch, agreement.MaxBundle)
	}
	b, err := os.ReadFile(patch)
	if err != nil {
		return problem.Wrap(problem.Internal, "agreement.patch", err)
	}
	fsys, p, err := agreement.ApplyPatch(base, b)
	switch {
	case errors.Is(err, agreement.ErrBase):
		return problem.Newf(problem.Conflict, "agreement.patch", "%s cannot amend %s: %w", patch, old, err)
	case err != nil:
		return problem.Newf(problem.Invalid, "agreement.patch", "%s: %w", patch, err)
	}
	e, faults := agreement.Check(fsys)
	if errs := faults.Errors(); e == nil || len(errs) > 0 {
		return problem.Newf(problem.Invalid, "agreement.package", "what the patch makes is no sound package: %w", faults)
	}
	if err := writeFolder(dir, fsys); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s holds edition %d of %s: %d files changed, %d added, %d removed\nhash %x\n", dir, p.To, p.Agreement, len(p.Changed), len(p.Added), len(p.Removed), e.Hash)
	for _, s := range []agreement.Side{agreement.A, agreement.B} {
		fmt.Fprintf(w, "%d of %d people of side %s have signed it\n", len(e.Persons(s)), agreement.PersonsNeeded, s)
	}
	return nil
}

// writeFolder makes a new folder with the files of a package, whole or not at all: it is
// written beside and takes its name when every byte is on the disk.
func writeFolder(dir string, fsys fs.FS) (err error) {
	if _, err := os.Lstat(dir); err == nil {
		return problem.Newf(problem.Conflict, "agreement.exists", "%s is there already; name a new folder", dir)
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return problem.Newf(problem.NotFound, "agreement.folder", "there is no folder %s", parent)
	}
	defer func() {
		if problem.KindOf(err) == problem.Internal {
			err = problem.Wrap(problem.Internal, "agreement.write", err)
		}
	}()
	temp, err := os.MkdirTemp(parent, ".darwaza-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	made := filepath.Join(temp, "package")
	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(made, filepath.FromSlash(p))
		if d.IsDir() {
			return os.Mkdir(to, 0o755)
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		return place(to, b)
	})
	if err != nil {
		return err
	}
	if err := os.Rename(made, dir); err != nil {
		if _, gone := os.Lstat(dir); gone == nil {
			return problem.Newf(problem.Conflict, "agreement.exists", "%s is there already; name a new folder", dir)
		}
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
