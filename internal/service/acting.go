// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"slices"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// Acting rights: who may key what. They are apart from the agreement's rules, except
// that a clause may name the role that ends a REFER or HOLD of its own.
var (
	mayBook    = []people.Role{people.Clerk, people.Supervisor}
	mayRule    = []people.Role{people.Clerk, people.Manager, people.Supervisor}
	mayScan    = []people.Role{people.GateOfficer, people.Health, people.Supervisor}
	maySettle  = []people.Role{people.Supervisor}
	mayOpen    = []people.Role{people.Supervisor}                                     // what was held
	mayRelease = []people.Role{people.Customs, people.GateOfficer, people.Supervisor} // goods, as far as the clause leaves it to them
	mayDisplay = []people.Role{people.Customs, people.Supervisor}
	maySell    = []people.Role{people.Customs}
	mayVoid    = []people.Role{people.Customs, people.Supervisor}
	mayEnrol   = []people.Role{people.Manager}
	mayAppoint = []people.Role{people.Admin}
	mayContest = []people.Role{people.Clerk, people.Supervisor}
	mayAnswer  = []people.Role{people.Supervisor}
	mayCommit  = []people.Role{people.Supervisor}
	mayScreen  = []people.Role{people.Health}
	// mayEraseFile may let a case file of the health desk go before its time.
	mayEraseFile = []people.Role{people.Health, people.Supervisor, people.Admin}
	mayErase     = []people.Role{people.Supervisor, people.Admin}
)

// acting returns the officer who keys a command, or a problem of kind forbidden where
// they may not: not known, no longer active, without any of the roles, or at another
// site. site is 0 where the act is at none.
func (tx *Tx) acting(id people.OfficerID, site uint16, roles []people.Role) (people.Officer, error) {
	o, ok := tx.People.Officers.Get(id)
	if !ok || !o.Active || !slices.ContainsFunc(roles, o.Has) {
		return o, problem.New(problem.Forbidden, "officer.role")
	}
	if site != 0 && o.Site != "" {
		if name, ok := tx.siteID(site); !ok || name != o.Site {
			return o, problem.New(problem.Forbidden, "officer.site")
		}
	}
	return o, nil
}

// siteID returns the id of a site by its number. Where no edition is in force the newest
// one still says which sites there are: officers work at them, and are told REFER.
func (tx *Tx) siteID(n uint16) (string, bool) {
	if e, ok := tx.Law.EditionFor(n, tx.Now); ok {
		s, ok := e.SiteNumbered(n)
		return s.ID, ok
	}
	for _, e := range tx.Law.Newest() {
		if s, ok := e.SiteNumbered(n); ok {
			return s.ID, true
		}
	}
	return "", false
}

// decider checks that an officer may end what the reasons of a verdict leave open. It
// takes the role that the clause names; where there is no clause, or it names none, the
// role whose desk it is; or else a supervisor, who alone ends what the gate leaves to one.
func (tx *Tx) decider(o people.Officer, desk people.Role, rs []reason.Reason) error {
	if o.Has(people.Supervisor) {
		return nil
	}
	for _, r := range rs {
		if !r.Outcome.NeedsOfficer() {
			continue
		}
		role := desk
		if gate.Supervised(r.Code) {
			role = people.Supervisor
		} else if who := tx.Law.Decider(r, tx.Now); who != "" {
			role = people.Role(who)
		}
		if !o.Has(role) {
			return problem.New(problem.Forbidden, "officer.decides")
		}
	}
	return nil
}

// whole reports a Tx that can be run on.
func (tx *Tx) whole() error {
	if !tx.Side.Valid() || tx.Law == nil {
		return problem.New(problem.Internal, "tx.incomplete")
	}
	return nil
}
