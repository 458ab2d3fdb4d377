// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/trust"
)

const trustAbout = `
The list of keys by which both sides believe health certificates. One side composes it of lists
as they are published, each side looks at it and signs it, and darwaza verify, conformance and
serve take it with the sides' public keys. Each side's key is one that darwaza agreement signer
makes; a PEM file with the public key of A and then of B is --sides:

  darwaza trust compose --number 7 --to list.json did.json certificates/
  darwaza trust show list.json
  darwaza trust sign --key a.key list.json        # and at the other side, with its own
  cat a.key.pub b.key.pub > sides.pem
  darwaza trust show --sides sides.pem list.json

Revocations go beside the list, each in a file of its own: batches of the EU's gateway, the
lists of issuers of cards, and filters, of which a tablet holds a million in 2.3 MB. What a
filter has is confirmed by the batches that lie beside it before anybody is refused; where
they do not, an officer decides.

  darwaza trust filter --to revoked.filter batches/
  darwaza trust show revoked.filter

%s
`

func trustVerbs() []verb {
	return []verb{
		{"compose", "--number N --to FILE LIST|DIR...", "make a list of others, for both sides to sign", 1, 1 << 10, composeVerb},
		{"sign", "--key FILE LIST", "sign a list, as one side", 1, 1, signTrustVerb},
		{"show", "[--sides FILE] [--json] LIST", "say what is in a list and who has signed it, or what a file revokes", 1, 1, showTrustVerb},
		{"filter", "--to FILE LIST|DIR...", "make the filter of batches of revocations, for machines that cannot hold them", 1, 1 << 10, filterVerb},
	}
}

// runTrust does one thing with a list of two sides.
func runTrust(ctx context.Context, c console, args []string) error {
	return runVerb(ctx, c, "trust", trustAbout, trustVerbs(), args)
}

func composeVerb(f flagSet) func(context.Context, console, []string) error {
	number := f.Uint64("number", 0, "the list's `number`, above that of the last one")
	to := f.String("to", "", "the `file` to write")
	issued := f.String("issued", "", "the `time` from which the list's age counts, as 2026-11-24T12:00:00Z; now where it is left out")
	sides := f.String("sides", "", "a PEM `file` with the public keys of sides A and B, for an earlier list of theirs")
	var withdraw stringList
	f.Var(&withdraw, "withdraw", "a `key` to take back, by its id in base64 as verify shows it and, after a colon, its country if only that one's; may be given several times")
	return func(_ context.Context, c console, args []string) error {
		if *number == 0 || *to == "" {
			return wrong("--number and --to are needed")
		}
		at := time.Now().UTC().Truncate(time.Second)
		if *issued != "" {
			var err error
			if at, err = parseTime("--issued", *issued); err != nil {
				return err
			}
		}
		lists, err := readTrust(args, *sides)
		if err != nil {
			return err
		}
		if len(lists.Cards().Keys) > 0 {
			return wrong("keys of SMART Health Cards stand in no list of two sides: give their file to --trust as it is")
		}
		all := slices.Clone(lists.Trusted())
		for _, l := range all {
			if l.Number >= *number {
				return problem.Newf(problem.Conflict, "trust.number", "%s has number %d: a later list has a higher one", l.Name, l.Number)
			}
		}
		taken := trust.NewList("withdrawn", at)
		for _, w := range withdraw {
			word, land, some := strings.Cut(w, ":")
			id, err := base64.StdEncoding.DecodeString(word)
			if err != nil {
				id, err = base64.RawURLEncoding.DecodeString(word) // a card's, as verify shows it
			}
			if err != nil || len(id) == 0 {
				return wrong("--withdraw %q is no key id in base64", w)
			}
			country, ok := proof.Country(land)
			if some && !ok {
				return wrong("--withdraw %q names no country", w)
			}
			taken.Withdraw(id, country)
		}
		body, err := trust.Compose(*number, at, append(all, taken)...)
		if err != nil {
			return problem.Wrap(problem.Internal, "trust", err)
		}
		list, err := trust.ReadList(*to, body)
		if err != nil {
			return problem.Wrap(problem.Internal, "trust", err)
		}
		if list.Len()+list.Authorities() == 0 && len(withdraw) == 0 {
			return wrong("there is no key in what was given")
		}
		b, err := trust.Bind(body)
		if err != nil {
			return problem.Wrap(problem.Internal, "trust", err)
		}
		if had, err := os.ReadFile(*to); err == nil && !bytes.Equal(had, b) {
			return problem.Newf(problem.Conflict, "trust.exists", "%s exists already", *to)
		}
		if err := place(*to, b); err != nil {
			return err
		}
		for _, r := range lists.Rejected() {
			fmt.Fprintf(c.out, "left out %s: %v\n", r.Entry, r.Err)
		}
		printList(c, list, body)
		return nil
	}
}

// readSheet reads the file of a list, whoever has signed it.
func readSheet(file string) (list *trust.List, body []byte, signatures [][]byte, err error) {
	b, err := readBounded(file, trust.MaxList)
	if err != nil {
		return nil, nil, nil, err
	}
	if body, signatures, err = trust.Unbind(b); err == nil {
		list, err = trust.ReadList(file, body)
	}
	if err != nil {
		return nil, nil, nil, problem.Newf(problem.Invalid, "trust.list", "%s is no list that darwaza trust compose has made", file)
	}
	return list, body, signatures, nil
}

func signTrustVerb(f flagSet) func(context.Context, console, []string) error {
	keyFile := f.String("key", "", "`file` of the side's key, as darwaza agreement signer makes it")
	return func(_ context.Context, c console, args []string) error {
		if *keyFile == "" {
			return wrong("--key names the file of the key")
		}
		list, body, signatures, err := readSheet(args[0])
		if err != nil {
			return err
		}
		key, err := post.ReadSigning(*keyFile)
		if err != nil {
			return err
		}
		// Whoever signs again has signed once.
		mine := trust.BySides(&key.PublicKey, &key.PublicKey)
		signatures = slices.DeleteFunc(signatures, func(sig []byte) bool { return trust.Signed(body, [][]byte{sig}, mine)[0] })
		sig, err := trust.Sign(key, body)
		if err != nil {
			return problem.Wrap(problem.Untrusted, "trust.key", err)
		}
		b, err := trust.Bind(body, append(signatures, sig)...)
		if err != nil {
			return problem.Wrap(problem.Internal, "trust", err)
		}
		if _, _, err := trust.Unbind(b); err != nil {
			return problem.Newf(problem.Limit, "trust.signatures", "%s has too many signatures", args[0])
		}
		if err := place(args[0], b); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "signed list %d, SHA-256 %s\nit has %s\n", list.Number, fingerprint(body), count(len(signatures)+1, "signature"))
		return nil
	}
}

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return groups(sum[:])
}

func filterVerb(f flagSet) func(context.Context, console, []string) error {
	to := f.String("to", "", "the `file` to write, anew")
	return func(_ context.Context, c console, args []string) error {
		if *to == "" {
			return wrong("--to is needed")
		}
		lists, err := readTrust(args, "")
		if err != nil {
			return err
		}
		hashes, _ := lists.Hashes()
		if len(hashes) == 0 {
			return wrong("there is no batch of revocations in what was given")
		}
		filter, err := trust.NewFilter(hashes)
		if err != nil {
			return problem.Wrap(problem.Internal, "trust", err)
		}
		b := filter.Bytes()
		if err := place(*to, b); err != nil {
			return err
		}
		printFilter(c, filter, len(b))
		return nil
	}
}

func printFilter(c console, f *trust.Filter, size int) {
	fmt.Fprintf(c.out, "filter of %d revocations in %d bytes\nof a million certificates that nobody revoked it has %.0f by chance for each hash: batches confirm, or an officer decides\n",
		f.Len(), size, trust.FalsePositives)
}

// showRevoked says what a file revokes, and false of one that revokes nothing.
func showRevoked(c console, file string, asJSON bool) (bool, error) {
	b, err := readBounded(file, trust.MaxList)
	if err != nil {
		return false, err
	}
	if !trust.IsFilter(b) && !trust.IsBatch(b) && !shc.LooksLikeRevoked(b) || trust.IsSigned(b) {
		return false, nil
	}
	lists, err := readTrust([]string{file}, "")
	if err != nil {
		return true, err
	}
	hashes, filters := lists.Hashes()
	kinds := trust.NewEntries(hashes).Len()
	if asJSON {
		type card struct {
			Kid     string `json:"kid"`
			Number  int64  `json:"number"`
			Entries int    `json:"entries"`
		}
		out := struct {
			Filter  int                    `json:"filter,omitempty"`
			Bytes   int                    `json:"bytes"`
			Entries map[proof.HashKind]int `json:"entries,omitempty"`
			Cards   []card                 `json:"cards,omitempty"`
		}{Bytes: len(b), Entries: kinds}
		for _, f := range filters {
			out.Filter = f.Len()
		}
		for _, r := range lists.Cards().Revoked {
			out.Cards = append(out.Cards, card{r.KeyID, r.Counter, r.Len()})
		}
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return true, e.Encode(out)
	}
	for _, f := range filters {
		printFilter(c, f, len(b))
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(c.out, "revokes %d by %s\n", kinds[kind], kind)
	}
	for _, r := range lists.Cards().Revoked {
		fmt.Fprintf(c.out, "revokes %d cards of the key %s, list %d\n", r.Len(), r.KeyID, r.Counter)
	}
	return true, nil
}

func showTrustVerb(f flagSet) func(context.Context, console, []string) error {
	sides := f.String("sides", "", "a PEM `file` with the public keys of sides A and B: says which of them have signed")
	asJSON := f.Bool("json", false, "print JSON")
	return func(_ context.Context, c console, args []string) error {
		if done, err := showRevoked(c, args[0], *asJSON); done || err != nil {
			return err
		}
		list, body, signatures, err := readSheet(args[0])
		if err != nil {
			return err
		}
		open, err := readSides(*sides)
		if err != nil {
			return err
		}
		var signed [2]bool
		if open != nil {
			signed = trust.Signed(body, signatures, open)
		}
		if *asJSON {
			sum := sha256.Sum256(body)
			type withdrawn struct {
				Kid       []byte   `json:"kid"`
				Countries []string `json:"countries"`
			}
			out := struct {
				Number     uint64         `json:"number"`
				Issued     time.Time      `json:"issued"`
				SHA256     string         `json:"sha256"`
				Keys       int            `json:"keys"`
				Countries  map[string]int `json:"countries"`
				Withdrawn  []withdrawn    `json:"withdrawn"`
				Signatures int            `json:"signatures"`
				A          *bool          `json:"A,omitempty"`
				B          *bool          `json:"B,omitempty"`
			}{list.Number, list.At, fmt.Sprintf("%x", sum), list.Len() + list.Authorities(), list.Countries(), []withdrawn{}, len(signatures), nil, nil}
			for id, countries := range list.Withdrawn() {
				out.Withdrawn = append(out.Withdrawn, withdrawn{id, countries})
			}
			if open != nil {
				out.A, out.B = &signed[0], &signed[1]
			}
			e := json.NewEncoder(c.out)
			e.SetIndent("", "  ")
			if err := e.Encode(out); err != nil {
				return err
			}
		} else {
			printList(c, list, body)
			if open == nil {
				fmt.Fprintf(c.out, "%s, which --sides checks\n", count(len(signatures), "signature"))
			}
			for i, side := range []string{"A", "B"} {
				if open != nil {
					fmt.Fprintf(c.out, "side %s has %ssigned\n", side, map[bool]string{false: "not "}[signed[i]])
				}
			}
		}
		if open != nil && signed != [2]bool{true, true} {
			return problem.Newf(problem.Untrusted, "trust.signature", "both sides have not signed the list")
		}
		return nil
	}
}

// printList says what both sides look at before they sign.
func printList(c console, l *trust.List, body []byte) {
	fmt.Fprintf(c.out, "list %d of %s, SHA-256 %s\n%s", l.Number, l.At.Format(time.RFC3339), fingerprint(body), count(l.Len(), "key"))
	switch n := l.Authorities(); n {
	case 0:
	case 1:
		fmt.Fprint(c.out, ", 1 authority")
	default:
		fmt.Fprintf(c.out, ", %d authorities", n)
	}
	fmt.Fprintln(c.out)
	countries := l.Countries()
	for _, country := range slices.Sorted(maps.Keys(countries)) {
		name := country
		if name == "" {
			name = "no country"
		}
		fmt.Fprintf(c.out, "  %s %d\n", name, countries[country])
	}
	for id, lands := range l.Withdrawn() {
		for _, land := range lands {
			if land == "" {
				land = "every country"
			}
			fmt.Fprintf(c.out, "withdrawn %s of %s\n", base64.StdEncoding.EncodeToString(id), land)
		}
	}
	for _, r := range l.Rejected {
		fmt.Fprintf(c.out, "cannot be read: %s: %v\n", r.Entry, r.Err)
	}
}
