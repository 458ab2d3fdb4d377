// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"crypto/ecdsa"
	"io/fs"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

// Edition is an edition with the folder that it was read from, for messages.
type Edition struct {
	*agreement.Edition
	From string
}

// ReadEditions reads the folders and bundles of a configuration and refuses what a post
// may not run on: an edition that two people of each side have not signed, or in which
// this side's keys are not the ones at hand.
func ReadEditions(folders []string, keys *Keys) ([]Edition, error) {
	var all []Edition
	for _, dir := range folders {
		fsys, err := OpenPackage(dir)
		if err != nil {
			return nil, err
		}
		e, err := readEdition(fsys, dir)
		if err != nil {
			return nil, err
		}
		all = append(all, Edition{e, dir})
	}
	return all, CheckEditions(all, keys)
}

func readEdition(fsys fs.FS, from string) (*agreement.Edition, error) {
	e, err := agreement.Load(fsys)
	if err != nil {
		return nil, problem.Newf(problem.Invalid, "agreement.package", "the agreement in %s cannot be used; darwaza agreement check lists why: %w", from, err)
	}
	return e, nil
}

// CheckEditions refuses editions that a post with these keys may not run on.
func CheckEditions(all []Edition, keys *Keys) error {
	for _, e := range all {
		if e.ID != all[0].ID {
			return problem.Newf(problem.Invalid, "agreement.other", "%s is of the agreement %s and %s of %s; a post runs on one agreement", e.From, e.ID, all[0].From, all[0].ID)
		}
		if err := agreement.Verify(e.Edition); err != nil {
			return problem.Newf(problem.Untrusted, "agreement.signature", "the edition in %s does not bind anybody yet (%w): both sides put in their keys (darwaza agreement keys), and two people of each sign (darwaza agreement sign)", e.From, err)
		}
	}
	if len(all) == 0 {
		return nil
	}
	// Old editions may hold keys of old; the newest must hold those of now.
	newest := all[0]
	for _, e := range all[1:] {
		if e.Number > newest.Number {
			newest = e
		}
	}
	mine := newest.Parties[keys.Side].Keys
	not := func(what string) error {
		return problem.Newf(problem.Untrusted, "agreement.keys", "the edition in %s names another %s for side %s than the one in %s: these are the keys of another post, or the edition was signed with older ones", newest.From, what, keys.Side, keys.dir)
	}
	if !bytes.Equal(mine.Exchange, keys.Secret.PublicKey().Bytes()) {
		return not("exchange key")
	}
	if mine.Log != keys.Log.Verifier() {
		return not("log key")
	}
	if keys.Root != nil {
		root, err := pass.PublicBytes(&keys.Root.PublicKey)
		if err != nil {
			return err
		}
		if !bytes.Equal(mine.Root, root) {
			return not("root key")
		}
	}
	return nil
}

// compile makes the law of the editions.
func compile(all []Edition) (*rules.Law, error) {
	es := make([]*agreement.Edition, len(all))
	for i := range all {
		es[i] = all[i].Edition
	}
	law, err := rules.Compile(es...)
	if err != nil {
		return nil, problem.Newf(problem.Invalid, "agreement.rules", "the agreement cannot be compiled; darwaza agreement check lists why: %w", err)
	}
	return law, nil
}

// trust returns the roots of every edition with the certificates in it and at hand. A certificate
// that cannot be believed is left out and reported.
func trust(all []Edition, certs [][]byte) (*pass.Trust, error, error) {
	t, err := pass.NewTrust(map[pass.Side]*ecdsa.PublicKey{})
	if err != nil {
		return nil, nil, err
	}
	for _, e := range all {
		for side, party := range e.Parties {
			pub, err := pass.ParsePublicKey(party.Keys.Root)
			if err != nil {
				return nil, nil, problem.Newf(problem.Untrusted, "agreement.keys", "the root key of side %s in %s cannot be read: %w", side, e.From, err)
			}
			if err := t.AddRoot(passSide(side), pub); err != nil {
				return nil, nil, problem.Newf(problem.Untrusted, "agreement.keys", "the root key of side %s in %s: %w", side, e.From, err)
			}
		}
	}
	for _, e := range all {
		certs = append(slices.Clip(certs), e.Certificates...)
	}
	t, left := t.With(certs...)
	return t, left, nil
}

// secrets derives what both sides share, from the edition in force, or the newest one.
func secrets(all []Edition, law *rules.Law, keys *Keys, now time.Time) (pass.Secrets, error) {
	e, ok := law.Edition(now)
	if !ok {
		e = all[len(all)-1].Edition
	}
	s, err := pass.DeriveSecrets(keys.Secret, e.Parties[keys.Side.Other()].Keys.Exchange, e.ID)
	if err != nil {
		return pass.Secrets{}, problem.Newf(problem.Untrusted, "agreement.keys", "no secrets can be derived with the other side's exchange key: %w", err)
	}
	return s, nil
}
