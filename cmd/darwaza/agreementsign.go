// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
)

func keysVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		return keysAgreement(c.out, args[0], args[1:])
	}
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
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return err
	}
	with, err := agreement.Overlay(fsys, add)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	e, faults := agreement.Check(with)
	for _, x := range faults.Errors() {
		if _, mine := add[x.File]; mine || e == nil {
			return problem.Newf(problem.Invalid, "keys.file", "%s", x)
		}
	}
	if err := lay(dir, add); err != nil {
		return err
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

func signerVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		public, err := post.MakeSigner(args[0])
		if err != nil {
			return err
		}
		id, err := pass.IDOf(public)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s holds the private key: keep it to yourself\n%[1]s.pub is for whoever keeps the root key, to be certified\nkey %s\n", args[0], id)
		return nil
	}
}

func certifyVerb(f flagSet) func(context.Context, console, []string) error {
	side := f.String("side", "", "A or B")
	key := f.String("key", "", "`file` of the side's root key, as darwaza init makes it")
	person := f.String("person", "", "`name` of the person, of small Latin letters, digits and dashes")
	public := f.String("public", "", "`file` of the person's public key, as darwaza agreement signer makes it")
	days := f.Int("days", int(post.SignerLife/(24*time.Hour)), "for how many days from now it holds, 1 to 400")
	return func(_ context.Context, c console, args []string) error {
		s, err := parseSide(*side)
		switch {
		case err != nil:
			return err
		case *key == "" || *person == "" || *public == "":
			return wrong("--key, --person and --public are needed")
		case *days < 1 || *days > 400:
			return wrong("--days must be between 1 and 400")
		}
		e, err := read(args[0])
		if err != nil {
			return err
		}
		root, err := post.ReadSigning(*key)
		if err != nil {
			return err
		}
		if want := e.RootKey(s); want == nil || !root.PublicKey.Equal(want) {
			return problem.Newf(problem.Untrusted, "agreement.key", "%s is not the root key that the package names for side %s", *key, s)
		}
		subject, err := post.ReadPublic(*public)
		if err != nil {
			return err
		}
		now := time.Now()
		path, cert, err := post.CertifySigner(root, s, subject, *person, now.Add(-time.Minute), now.AddDate(0, 0, *days))
		if err != nil {
			return err
		}
		if err := lay(args[0], map[string][]byte{path: cert}); err != nil {
			return err
		}
		parsed, err := pass.ParseCertificate(cert)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s may sign for side %s until %s, with key %s\n", *person, s, parsed.Until.Format(time.DateOnly), parsed.Key)
		if n := len(e.Signatories(agreement.A)) + len(e.Signatories(agreement.B)); n > 0 {
			fmt.Fprintf(c.out, "the package has changed by it: %s in it no longer hold, and are to be made anew\n", count(n, "signature"))
		}
		return nil
	}
}

func parseSide(s string) (agreement.Side, error) {
	side := agreement.Side(strings.ToUpper(s))
	if !side.Valid() {
		return "", wrong("--side must be A or B")
	}
	return side, nil
}

func signVerb(f flagSet) func(context.Context, console, []string) error {
	side := f.String("side", "", "A or B")
	key := f.String("key", "", "`file` of the key of a certified person, or of the side's root key, which counts as one person")
	person := f.String("person", "", "`name` that the certificate of the key must have")
	return func(_ context.Context, c console, args []string) error {
		return signAgreement(c.out, args[0], *side, *key, *person)
	}
}

func signAgreement(w io.Writer, dir, side, keyFile, person string) error {
	s, err := parseSide(side)
	if err != nil {
		return err
	}
	if keyFile == "" {
		return wrong("--key names the file of the key")
	}
	e, err := sound(dir)
	if err != nil {
		return err
	}
	key, err := post.ReadSigning(keyFile)
	if err != nil {
		return err
	}
	var path string
	var sig []byte
	who := agreement.RootPerson
	if root := e.RootKey(s); root != nil && key.PublicKey.Equal(root) {
		path, sig, err = agreement.Sign(e, s, key)
	} else {
		path, sig, err = agreement.SignAs(e, s, key, time.Now())
	}
	if err != nil {
		return problem.Wrap(problem.Untrusted, "agreement.key", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".sig")
	after := *e
	after.Signers = map[string][]byte{name: sig}
	for _, x := range after.Signatories(s) {
		if x.File == path && name != string(s) {
			who = x.Person
		}
	}
	if person != "" && person != who {
		return problem.Newf(problem.Untrusted, "agreement.person", "%s is the key of %s, not of %s", keyFile, who, person)
	}
	if err := lay(dir, map[string][]byte{path: sig}); err != nil {
		return err
	}
	fmt.Fprintf(w, "side %s signed edition %d of %s: %s\nhash %x\n", s, e.Number, e.ID, who, e.Hash)
	if e, err = read(dir); err != nil {
		return err
	}
	if n := len(e.Persons(s)); n < agreement.PersonsNeeded {
		fmt.Fprintf(w, "%d of %d people of side %s have signed\n", n, agreement.PersonsNeeded, s)
	}
	return nil
}

func verifyVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error { return verifyAgreement(c.out, args[0]) }
}

func verifyAgreement(w io.Writer, dir string) error {
	e, err := read(dir)
	if err != nil {
		return err
	}
	tellSignatures(w, e)
	if err := agreement.Verify(e); err != nil {
		return problem.Wrap(problem.Untrusted, "agreement.signature", err)
	}
	fmt.Fprintf(w, "both sides signed edition %d of %s\nhash %x\n", e.Number, e.ID, e.Hash)
	return nil
}

// tellSignatures says who of each side signed, by which key, and how many are needed.
func tellSignatures(w io.Writer, e *agreement.Edition) {
	for _, s := range []agreement.Side{agreement.A, agreement.B} {
		root := e.Parties[s].Keys.Root
		if e.RootKey(s) == nil {
			fmt.Fprintf(w, "side %s has no key in the package\n", s)
			continue
		}
		sum := sha256.Sum256(root)
		fmt.Fprintf(w, "side %s, root key SHA-256 %s: %d of %d people have signed\n", s, groups(sum[:]), len(e.Persons(s)), agreement.PersonsNeeded)
		for _, x := range e.Signatories(s) {
			switch {
			case x.Fault != nil:
				fmt.Fprintf(w, "  %s does not hold: %s\n", x.File, strings.TrimPrefix(x.Fault.Error(), agreement.ErrSignature.Error()+": "))
			case x.At.IsZero():
				fmt.Fprintf(w, "  %s: %s, the root key itself\n", x.File, x.Person)
			default:
				fmt.Fprintf(w, "  %s: %s, by key %s, on %s as their machine said; certified from %s until before %s\n", x.File, x.Person, x.Key,
					x.At.Format(time.RFC3339), x.From.Format(time.DateOnly), x.Until.Format(time.DateOnly))
			}
		}
	}
}

// lay puts files into a package, each whole or not at all. A bundle is written anew.
func lay(dir string, files map[string][]byte) error {
	info, err := os.Stat(dir)
	if err != nil {
		return problem.Newf(problem.NotFound, "agreement.folder", "%w", err)
	}
	if info.IsDir() {
		for _, name := range sorted(files) {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return problem.Wrap(problem.Internal, "agreement.write", err)
			}
			if err := place(path, files[name]); err != nil {
				return err
			}
		}
		return nil
	}
	fsys, err := post.OpenPackage(dir)
	if err != nil {
		return err
	}
	if fsys, err = agreement.Overlay(fsys, files); err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	b, err := agreement.Bundle(fsys)
	if err != nil {
		return problem.Wrap(problem.Invalid, "agreement.package", err)
	}
	return place(dir, b)
}

// place writes a file whole or not at all: whoever reads it while it is written sees the
// old one, and a crash leaves the old one.
func place(path string, b []byte) (err error) {
	defer func() { err = problem.Wrap(problem.Internal, "agreement.write", err) }()
	f, err := os.CreateTemp(filepath.Dir(path), ".darwaza-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
