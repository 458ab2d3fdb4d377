// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package people

import (
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
)

// Appointed says how an officer stands: appointed, changed, or no longer active. Names,
// logins and sign-in words are in no fact.
type Appointed struct {
	Officer Officer   `cbor:"1,keyasint"`
	By      OfficerID `cbor:"2,keyasint,omitempty"` // who did it, themselves for the first of all; empty where the keeper of the machine did
}

// FactKind names the fact.
func (Appointed) FactKind() string { return "people.appointed" }

// Facts returns constructors of every fact of this package.
func Facts() []func() fact.Fact {
	return []func() fact.Fact{func() fact.Fact { return new(Appointed) }}
}

const officers = "officers" // the key of Counts

// Apply makes what a fact says of the state. It never refuses and passes over facts of
// other desks.
func Apply(st State, at time.Time, f fact.Fact) {
	a, ok := f.(*Appointed)
	if !ok {
		return
	}
	o := a.Officer
	o.Login = ""
	old, known := st.Officers.Get(o.ID)
	if known {
		o.Since = old.Since
	} else {
		o.Since = at
		n, _ := st.Counts.Get(officers)
		st.Numbers.Put(n, o.ID)
		st.Counts.Put(officers, n+1)
	}
	st.Officers.Put(o.ID, o)
}

// All returns the officers in order of their appointment.
func (st State) All() []Officer {
	n, _ := st.Counts.Get(officers)
	var all []Officer
	for i := range n {
		if id, ok := st.Numbers.Get(i); ok {
			if o, ok := st.Officers.Get(id); ok {
				all = append(all, o)
			}
		}
	}
	return all
}

// Known reports whether s is one of the roles.
func (r Role) Known() bool { return slices.Contains(Roles[:], r) }

// DecideAppoint makes or changes an officer. holder is who has the login now, empty for
// nobody. An officer who works at a single site appoints there alone.
func (st State) DecideAppoint(o Officer, by, holder OfficerID) ([]fact.Fact, error) {
	switch {
	case !word(string(o.ID), 40):
		return nil, problem.Field("id", "officer.id")
	case !word(o.Login, 32):
		return nil, problem.Field("login", "officer.login")
	case len(o.Roles) == 0 && o.Active:
		return nil, problem.Field("roles", "officer.roles")
	case len(o.Language) > 8:
		return nil, problem.Field("language", "officer.language")
	case o.Site != "" && !word(o.Site, 64):
		return nil, problem.Field("site", "officer.site")
	}
	var roles []Role
	for _, r := range Roles { // in order and once each, so that a change of order is no change
		if o.Has(r) {
			roles = append(roles, r)
		}
	}
	for _, r := range o.Roles {
		if !r.Known() {
			return nil, problem.Field("roles", "officer.roles")
		}
	}
	o.Roles, o.Since = roles, time.Time{}
	old, known := st.Officers.Get(o.ID)
	if a, _ := st.Officers.Get(by); by != "" && a.Site != "" && (o.Site != a.Site || known && old.Site != a.Site) {
		return nil, problem.New(problem.Forbidden, "officer.site")
	}
	if holder != "" && holder != o.ID {
		return nil, problem.New(problem.Conflict, "officer.login.taken")
	}
	if !known && !o.Active {
		return nil, problem.New(problem.NotFound, "officer.unknown")
	}
	if known && o.Sealed == "" {
		o.Sealed = old.Sealed
	}
	for _, can := range []func(Officer) bool{admin, func(x Officer) bool { return admin(x) && x.Site == "" }} {
		if known && can(old) && !can(o) && !slices.ContainsFunc(st.All(), func(x Officer) bool { return x.ID != o.ID && can(x) }) {
			return nil, problem.New(problem.Conflict, "officer.admin.last")
		}
	}
	o.Login = ""
	return []fact.Fact{&Appointed{Officer: o, By: by}}, nil
}

// admin reports whether an officer can appoint others, at their site or at all of them.
func admin(o Officer) bool { return o.Active && o.Has(Admin) }

// word reports a short word of lower-case letters, digits, dots, dashes and underscores,
// or an id with capitals: nothing that could be a sentence about somebody.
func word(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
