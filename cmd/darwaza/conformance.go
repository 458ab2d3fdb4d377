// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/trust"
)

const conformanceAbout = `
Runs a folder of vectors that is laid out as the published ones, and prints a score for each
kind of check with every miss named. The status is 0 where nothing was missed, and that of
"conflict" where something was.

  dcc    the European test data (dgc-testdata): JSON files with a certificate, its signer, a
         clock and what is expected. Expectations on schemas are left out.
  qa     pictures of certificates (dcc-quality-assurance). Each signature whose key is
         known must hold, a day after the certificate was issued or at --at. Keys are those
         of --trust, or of a folder called keys beside DIR.
  certlogic
         CertLogic: spec/ (assertions), validation/ (cases), rules/ (tests beside each rule).
  shc    SMART Health Cards: the specification's examples and the cases of the health cards
         development tools, whose names say what is expected. Keys and lists of revocations
         are those of --trust (a key set or a directory of issuers), and otherwise those
         that lie in the folder.
  vdsnc  ICAO visible digital seals. Each verifies by the certificate that it brings;
         whether it is genuine is scored with --trust (certificates of signers or of
         authorities, PEM or DER, and the lists that name them), a day after the signer's certificate begins or at --at.
`

// runConformance scores a folder of vectors.
func runConformance(_ context.Context, c console, args []string) error {
	fl := flags(c, "conformance", "dcc|qa|certlogic|shc|vdsnc DIR [--trust FILE|DIR] [--at TIME] [--json]", conformanceAbout)
	trusted := fl.String("trust", "", "trusted keys: a `file`, or a folder of them")
	when := fl.String("at", "", "the `time` to judge at, as 2026-11-24T12:00:00Z")
	asJSON := fl.Bool("json", false, "print JSON")
	var rest []string
	for {
		err := fl.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			fl.help()
			return err
		case err != nil:
			return wrong("%w; darwaza help conformance lists the flags", err)
		}
		if fl.NArg() == 0 {
			break
		}
		rest, args = append(rest, fl.Arg(0)), fl.Args()[1:]
	}
	if len(rest) != 2 {
		return wrong("want a kind of vectors and a folder")
	}
	var at time.Time
	if *when != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, *when); err != nil {
			return wrong("--at is not a time")
		}
	}
	kind, dir := rest[0], rest[1]
	var s *vectorSuite
	var err error
	switch kind {
	case "dcc":
		s, err = scoreDCC(dir)
	case "qa":
		var keys proof.Keys
		if keys, err = qaTrust(dir, *trusted); err != nil {
			return err
		}
		s, err = scoreQA(dir, keys, at)
	case "shc":
		var keys shc.KeysFile
		if keys, err = cardTrust(*trusted); err != nil {
			return err
		}
		if at.IsZero() {
			at = time.Now()
		}
		s, err = scoreSHC(dir, keys, at)
	case "vdsnc":
		var keys proof.Keys
		if *trusted != "" {
			if keys, err = sealTrust(*trusted); err != nil {
				return err
			}
		}
		s, err = scoreVDSNC(dir, keys, at)
	case "certlogic":
		s, err = scoreCertLogic(os.DirFS(dir))
	default:
		return wrong("no vectors are called %q", kind)
	}
	if err != nil {
		return problem.Wrap(problem.Invalid, "vectors", err)
	}
	if *asJSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		if err := e.Encode(struct {
			Suite  string `json:"suite"`
			Missed bool   `json:"missed"`
			*vectorSuite
		}{kind, !s.missedNone(), s}); err != nil {
			return err
		}
	} else {
		s.print(c)
	}
	if !s.missedNone() {
		return problem.Newf(problem.Conflict, "vectors.missed", "some results are not the expected ones")
	}
	return nil
}

func (s *vectorSuite) print(c console) {
	for _, x := range s.Checks {
		fmt.Fprintf(c.out, "%-18s %d of %d\n", x.Check, x.Right, x.Total)
		for _, m := range x.Missed {
			fmt.Fprintf(c.out, "  missed %s: want %s, got %s\n", m.File, m.Want, m.Got)
		}
	}
	for _, m := range s.Apart {
		fmt.Fprintf(c.out, "  apart %s: %s\n", m.File, m.Got)
	}
}

// trustFiles reads a file, or every file of a folder.
func trustFiles(name string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxVector {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		return nil, problem.Wrap(problem.NotFound, "trust", err)
	}
	return files, nil
}

// cardTrust reads keys of issuers of cards and their lists of revocations.
func cardTrust(name string) (shc.KeysFile, error) {
	var all shc.KeysFile
	if name == "" {
		return all, nil
	}
	files, err := trustFiles(name)
	if err != nil {
		return all, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		if f, err := shc.ReadKeys(b, ""); err == nil {
			all.Keys, all.Revoked = append(all.Keys, f.Keys...), append(all.Revoked, f.Revoked...)
		} else if r, err := shc.ReadRevoked(b); err == nil {
			all.Revoked = append(all.Revoked, r)
		}
	}
	if len(all.Keys) == 0 {
		return all, wrong("no key of an issuer of cards in %s", filepath.Base(name))
	}
	return all, nil
}

// sealTrust reads lists of signers of seals and of their authorities, in any form in
// which they are published.
func sealTrust(name string) (proof.Keys, error) {
	files, err := trustFiles(name)
	if err != nil {
		return nil, err
	}
	var lists []*trust.List
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if l, err := trust.Read(name, files[name], time.Time{}); err == nil {
			lists = append(lists, l)
		}
	}
	store := trust.NewStore(trust.Limits{}, lists...)
	if _, age := store.Keys(proof.Query{Format: proof.VDSNC}); age == proof.Absent {
		return nil, wrong("no certificate in %s", filepath.Base(name))
	}
	return store, nil
}
