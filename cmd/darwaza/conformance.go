// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
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

--trust reads what darwaza verify reads, with --sides the list that two sides have signed as well.
`

// runConformance scores a folder of vectors.
func runConformance(_ context.Context, c console, args []string) error {
	fl := flags(c, "conformance", "dcc|qa|certlogic|shc|vdsnc DIR [--trust FILE|DIR]... [--sides FILE] [--at TIME] [--json]", conformanceAbout)
	var trusted stringList
	fl.Var(&trusted, "trust", "trusted keys: a `file`, or a folder of them; may be given several times")
	sides := fl.String("sides", "", "a PEM `file` with the public keys of sides A and B, for a list that both have signed")
	when := fl.String("at", "", "the `time` to judge at, as 2026-11-24T12:00:00Z")
	asJSON := fl.Bool("json", false, "print JSON")
	rest, err := parseMixed(fl, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return wrong("want a kind of vectors and a folder")
	}
	var at time.Time
	if *when != "" {
		if at, err = parseAt(*when); err != nil {
			return err
		}
	}
	kind, dir := rest[0], rest[1]
	if kind == "qa" {
		if trusted, err = qaTrust(dir, trusted); err != nil {
			return err
		}
	}
	lists, err := readTrust(trusted, *sides)
	if err != nil {
		return err
	}
	var s *vectorSuite
	switch kind {
	case "dcc":
		s, err = scoreDCC(dir)
	case "qa":
		s, err = scoreQA(dir, lists, at)
	case "shc":
		keys := lists.Cards()
		if len(trusted) > 0 && len(keys.Keys) == 0 {
			return wrong("no key of an issuer of cards in %s", trusted.String())
		}
		if at.IsZero() {
			at = time.Now()
		}
		s, err = scoreSHC(dir, keys, at)
	case "vdsnc":
		var keys proof.Keys
		if len(trusted) > 0 {
			keys = lists
			if _, age := keys.Keys(proof.Query{Format: proof.VDSNC}); age == proof.Absent {
				return wrong("no certificate in %s", trusted.String())
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
