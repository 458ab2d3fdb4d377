// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"crypto/ecdsa"
	"io/fs"
	"slices"
	"strings"
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

// CheckEditions refuses editions that a post with these keys may not run on. They may be
// of several agreements, all between the same two authorities, each with the same side's
// letter in all of them (see docs/decisions).
func CheckEditions(all []Edition, keys *Keys) error {
	for _, e := range all {
		if err := agreement.Verify(e.Edition); err != nil {
			return problem.Newf(problem.Untrusted, "agreement.signature", "the edition in %s does not bind anybody yet (%w): both sides put in their keys (darwaza agreement keys), and two people of each sign (darwaza agreement sign)", e.From, err)
		}
	}
	// Old editions may hold keys of old; the newest of each agreement must hold those of now.
	ends := newest(all)
	for _, e := range ends {
		if err := checkKeys(e, keys); err != nil {
			return err
		}
	}
	for _, e := range ends[min(1, len(ends)):] {
		a, b := ends[0].Parties[keys.Side.Other()].Keys, e.Parties[keys.Side.Other()].Keys
		if !bytes.Equal(a.Root, b.Root) || !bytes.Equal(a.Exchange, b.Exchange) || a.Log != b.Log {
			return problem.Newf(problem.Invalid, "agreement.other", "%s names other keys for side %s than %s: a post works with one other authority in all its agreements; for a third authority run a second post", e.From, keys.Side.Other(), ends[0].From)
		}
	}
	_, err := base(all, keys)
	return err
}

// newest returns the edition of the highest number of each agreement, by its id.
func newest(all []Edition) []Edition {
	var out []Edition
	for _, e := range all {
		i := slices.IndexFunc(out, func(o Edition) bool { return o.ID == e.ID })
		switch {
		case i < 0:
			out = append(out, e)
		case e.Number > out[i].Number:
			out[i] = e
		}
	}
	slices.SortFunc(out, func(a, b Edition) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// checkKeys refuses an edition in which this side's keys are not the ones at hand.
func checkKeys(e Edition, keys *Keys) error {
	mine := e.Parties[keys.Side].Keys
	secret := keys.Secret.PublicKey().Bytes()
	if theirs := e.Parties[keys.Side.Other()].Keys; bytes.Equal(theirs.Exchange, secret) {
		return problem.Newf(problem.Invalid, "agreement.side", "the edition in %s has these keys as side %s, and this post is side %s: passes and records bear the letter, so an authority has the same one in all agreements of a post; write the agreement with its parties the other way round", e.From, keys.Side.Other(), keys.Side)
	}
	not := func(what string) error {
		return problem.Newf(problem.Untrusted, "agreement.keys", "the edition in %s names another %s for side %s than the one in %s: these are the keys of another post, or the edition was signed with older ones", e.From, what, keys.Side, keys.dir)
	}
	if !bytes.Equal(mine.Exchange, secret) {
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

// base returns the id of the agreement under whose name the two sides derive what they
// share and speak to each other: a person has one joint tag, whatever agreements are asked
// of them. Of several agreements it is the one in whose name both sides' logs were made, so
// that both find the same, and loading another changes nothing.
func base(all []Edition, keys *Keys) (string, error) {
	ends := newest(all)
	switch len(ends) {
	case 0:
		return "", nil
	case 1:
		return ends[0].ID, nil
	}
	for _, e := range ends {
		mine, other := e.Parties[keys.Side].Keys.Log, e.Parties[keys.Side.Other()].Keys.Log
		if strings.HasPrefix(mine, Origin(e.ID, keys.Side)+"+") && strings.HasPrefix(other, Origin(e.ID, keys.Side.Other())+"+") {
			return e.ID, nil
		}
	}
	return "", problem.Newf(problem.Invalid, "agreement.base", "of the %d agreements none is the one for which both sides made their posts: name it first to darwaza init on both sides, and keep it among the agreements of the configuration", len(ends))
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

// secrets derives what both sides share, from the edition in force of the base agreement,
// or its newest one.
func secrets(all []Edition, law *rules.Law, keys *Keys, id string, now time.Time) (pass.Secrets, error) {
	e, ok := law.EditionOf(id, now)
	if !ok {
		for _, x := range newest(all) {
			if x.ID == id {
				e = x.Edition
			}
		}
	}
	s, err := pass.DeriveSecrets(keys.Secret, e.Parties[keys.Side.Other()].Keys.Exchange, id)
	if err != nil {
		return pass.Secrets{}, problem.Newf(problem.Untrusted, "agreement.keys", "no secrets can be derived with the other side's exchange key: %w", err)
	}
	return s, nil
}
