// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/screening"
)

// OpenHealth opens a case at the health desk. Where one of the same person is open, that is
// the answer, and nothing is recorded. An order keeps a person apart at every site, so an
// open one is the answer everywhere.
type OpenHealth struct {
	ID   screening.ID `cbor:"1,keyasint,omitempty"` // random, chosen by the caller
	Site uint16       `cbor:"2,keyasint,omitempty"`
	// Pass is the person's, zero where they have none; Register the tag of their document
	// without a period, zero where none was read.
	Pass     pass.ID          `cbor:"3,keyasint"`
	Register [16]byte         `cbor:"4,keyasint"`
	Officer  people.OfficerID `cbor:"5,keyasint,omitempty"`
	// SealedID and Sealed are the case file.
	SealedID string `cbor:"6,keyasint,omitempty"`
	Sealed   []byte `cbor:"7,keyasint,omitempty"`
}

// SeeHealth says what the desk has seen of a person so far, all of it. It is read once; the
// answer and the record keep what the law comes to.
type SeeHealth struct {
	Case    screening.ID      `cbor:"1,keyasint,omitempty"`
	Act     screening.Act     `cbor:"2,keyasint,omitempty"`
	Answers screening.Answers `cbor:"3,keyasint"`
	Tests   []screening.Test  `cbor:"4,keyasint,omitempty"`
	Officer people.OfficerID  `cbor:"5,keyasint,omitempty"`
	Sealed  []byte            `cbor:"6,keyasint,omitempty"` // the case file anew, under its key
	// Country is that of the document, Document its kind, as far as the desk read them.
	Document string `cbor:"7,keyasint,omitempty"`
	Country  string `cbor:"8,keyasint,omitempty"`
}

// IsolateHealth orders isolation.
type IsolateHealth struct {
	Case    screening.ID     `cbor:"1,keyasint,omitempty"`
	Clause  string           `cbor:"2,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
}

// HandHealth says who goes on with the goods of a person who stays: the holder of a pass,
// or somebody whom the case file names.
type HandHealth struct {
	Case    screening.ID     `cbor:"1,keyasint,omitempty"`
	Pass    pass.ID          `cbor:"2,keyasint"`
	Officer people.OfficerID `cbor:"3,keyasint,omitempty"`
	Sealed  []byte           `cbor:"4,keyasint,omitempty"` // the case file anew, where it names them
}

// IssueHealth records that a certificate was issued.
type IssueHealth struct {
	Case    screening.ID     `cbor:"1,keyasint,omitempty"`
	Number  string           `cbor:"2,keyasint,omitempty"`
	Key     []byte           `cbor:"3,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"4,keyasint,omitempty"`
	Sealed  []byte           `cbor:"5,keyasint,omitempty"` // the case file anew, where it has changed
}

// CloseHealth closes a case.
type CloseHealth struct {
	Case    screening.ID     `cbor:"1,keyasint,omitempty"`
	Fit     bool             `cbor:"2,keyasint,omitempty"`
	Why     string           `cbor:"3,keyasint,omitempty"` // one of screening.Fit or Unfit
	Officer people.OfficerID `cbor:"4,keyasint,omitempty"`
}

// ReleaseHealth ends an isolation.
type ReleaseHealth struct {
	Case    screening.ID     `cbor:"1,keyasint,omitempty"`
	How     screening.How    `cbor:"2,keyasint,omitempty"`
	Why     string           `cbor:"3,keyasint,omitempty"` // one of screening.Reliefs
	Tests   []screening.Test `cbor:"4,keyasint,omitempty"` // of the case file
	Officer people.OfficerID `cbor:"5,keyasint,omitempty"`
}

// EraseHealth lets case files go: by the server's clock, or, where an officer asks, before
// their time. Whoever sends it destroys the keys and says so by EraseDone.
type EraseHealth struct {
	Cases   []screening.ID   `cbor:"1,keyasint,omitempty"`
	Officer people.OfficerID `cbor:"2,keyasint,omitempty"`
}

// HealthAnswer is the case as it stands after the command, and what was said to it. Nothing
// that was answered or found is in it.
type HealthAnswer struct {
	Verdict rules.Verdict  `cbor:"1,keyasint"`
	Case    screening.Case `cbor:"2,keyasint"`
	// Done is false where the verdict is against what was asked for, or the case was there
	// already: nothing was recorded.
	Done bool `cbor:"3,keyasint,omitempty"`
}

// EraseHealthAnswer says how many files go.
type EraseHealthAnswer struct {
	Erased uint32 `cbor:"1,keyasint,omitempty"`
}

// CommandKind names the command in logs and in forwarding.
func (OpenHealth) CommandKind() string    { return "screening.open" }
func (SeeHealth) CommandKind() string     { return "screening.see" }
func (IsolateHealth) CommandKind() string { return "screening.isolate" }
func (HandHealth) CommandKind() string    { return "screening.hand" }
func (IssueHealth) CommandKind() string   { return "screening.issue" }
func (CloseHealth) CommandKind() string   { return "screening.close" }
func (ReleaseHealth) CommandKind() string { return "screening.release" }
func (EraseHealth) CommandKind() string   { return "screening.erase" }

// Keys names the pass.
func (c OpenHealth) Keys(k *Keys) {
	k.levels(c.Site)
	if c.Pass != (pass.ID{}) {
		k.Presences, k.Holders = append(k.Presences, c.Pass), append(k.Holders, c.Pass)
	}
}

// Keys names nothing: a case leads to its rows.
func (c SeeHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c IsolateHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c HandHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c IssueHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c CloseHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c ReleaseHealth) Keys(k *Keys) {}

// Keys names nothing: a case leads to its rows.
func (c EraseHealth) Keys(k *Keys) {}

// Essence leaves out the case's number and the file, which is sealed anew.
func (c OpenHealth) Essence() any {
	c.ID, c.SealedID, c.Sealed = "", "", nil
	return c
}

// Essence leaves out the file, which is sealed anew.
func (c SeeHealth) Essence() any {
	c.Sealed = nil
	return c
}

// Essence leaves out the file, which is sealed anew.
func (c HandHealth) Essence() any {
	c.Sealed = nil
	return c
}

// Essence leaves out the file, which is sealed anew.
func (c IssueHealth) Essence() any {
	c.Sealed = nil
	return c
}

func (tx *Tx) screening() screening.Desk { return ScreeningDesk(tx.State, tx.Law, tx.Side, tx.Now) }

// ScreeningDesk is the health desk over a state, to ask and not to record.
func ScreeningDesk(st State, law *Law, side agreement.Side, now time.Time) screening.Desk {
	return screening.Desk{State: st.Screening, Levels: st.Levels, Law: law, Side: side, Now: now}
}

// PersonAtDesk is what this side knows of the holder of a pass, with the tag of their
// document and the scan that waits at the gate.
func PersonAtDesk(st State, side agreement.Side, id pass.ID) (who screening.Person, register [16]byte, scan uint64) {
	who.Age = -1
	if p, ok := st.Gate.Presences.Get(id); ok {
		who.Class, scan = p.Class, p.Pending
	}
	if b, member, ok := BookingOfPass(st, id); ok {
		m := b.Members[member]
		return screening.Person{Class: b.Slot.Class(), Document: m.Document, Country: m.Country, Age: m.Age}, m.Register, scan
	}
	return who, register, scan
}

// health runs an act on a case that is open: the officer works at its site.
func (tx *Tx) health(id screening.ID, o people.OfficerID) (screening.Case, people.Officer, error) {
	if err := tx.whole(); err != nil {
		return screening.Case{}, people.Officer{}, err
	}
	c, known := tx.Screening.Cases.Get(id)
	who, err := tx.acting(o, c.Site, mayScreen)
	if err == nil && !known {
		err = problem.New(problem.NotFound, "screening.unknown")
	}
	return c, who, err
}

// reseal puts the case file anew, where the command has it.
func (tx *Tx) reseal(c screening.Case, sealed []byte) {
	if len(sealed) > 0 && c.Sealed != "" {
		tx.Sealed.Put(c.Sealed, sealed)
	}
}

func (tx *Tx) healthAnswer(id screening.ID, v rules.Verdict, done bool) HealthAnswer {
	c, _ := tx.Screening.Cases.Get(id)
	return HealthAnswer{Verdict: v, Case: c, Done: done}
}

// Run opens a case. The file is kept only where it is a new one.
func (c OpenHealth) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if _, err := tx.acting(c.Officer, c.Site, mayScreen); err != nil {
		return nil, err
	}
	who, register, scan := PersonAtDesk(tx.State, tx.Side, c.Pass)
	if c.Register != ([16]byte{}) {
		register = c.Register
	}
	facts, v, id, err := tx.screening().DecideOpen(screening.Coming{ID: c.ID, Site: c.Site, Pass: c.Pass, Register: register, Scan: scan, Class: who.Class,
		Officer: string(c.Officer), Sealed: c.SealedID})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		tx.Sealed.Put(c.SealedID, c.Sealed)
	}
	return tx.healthAnswer(id, v, len(facts) > 0), nil
}

// Run records what the law comes to on what was seen, and keeps the case file.
func (c SeeHealth) Run(tx *Tx) (any, error) {
	k, _, err := tx.health(c.Case, c.Officer)
	if err != nil {
		return nil, err
	}
	who, _, _ := PersonAtDesk(tx.State, tx.Side, k.Pass)
	if who.Document == "" {
		who.Document, who.Country = c.Document, c.Country
	}
	facts, x, err := tx.screening().DecideSeen(screening.Sight{Case: c.Case, Act: c.Act, Person: who, Answers: c.Answers, Tests: c.Tests, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.reseal(k, c.Sealed)
	return tx.healthAnswer(c.Case, x.Verdict, true), nil
}

// Run orders isolation.
func (c IsolateHealth) Run(tx *Tx) (any, error) {
	if _, _, err := tx.health(c.Case, c.Officer); err != nil {
		return nil, err
	}
	facts, v, err := tx.screening().DecideIsolate(c.Case, c.Clause, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.healthAnswer(c.Case, v, len(facts) > 0), nil
}

// Run records who goes on with the goods.
func (c HandHealth) Run(tx *Tx) (any, error) {
	k, _, err := tx.health(c.Case, c.Officer)
	if err != nil {
		return nil, err
	}
	f := screening.Handed{Case: c.Case, Pass: c.Pass, Paper: c.Pass == (pass.ID{}) && len(c.Sealed) > 0, Officer: string(c.Officer)}
	if f.Pass != (pass.ID{}) {
		theirs, ok := tx.Booking.Holders.Get(f.Pass)
		mine, own := tx.Booking.Holders.Get(k.Pass)
		if _, seen := tx.Gate.Presences.Get(f.Pass); !ok && !seen {
			return nil, problem.Field("crew", "screening.crew.unknown")
		}
		f.Party = ok && own && theirs.Ref == mine.Ref
	}
	facts, err := tx.screening().DecideHand(f)
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.reseal(k, c.Sealed)
	return tx.healthAnswer(c.Case, rules.Verdict{}, true), nil
}

// Run records that a certificate was issued.
func (c IssueHealth) Run(tx *Tx) (any, error) {
	k, _, err := tx.health(c.Case, c.Officer)
	if err != nil {
		return nil, err
	}
	facts, err := tx.screening().DecideIssued(screening.Issued{Case: c.Case, Number: c.Number, Key: c.Key, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.reseal(k, c.Sealed)
	return tx.healthAnswer(c.Case, rules.Verdict{}, true), nil
}

// Run closes a case, and turns back at the gate whoever the desk finds against and waits
// there.
func (c CloseHealth) Run(tx *Tx) (any, error) {
	k, o, err := tx.health(c.Case, c.Officer)
	if err != nil {
		return nil, err
	}
	if c.Fit {
		if err := tx.decider(o, people.Health, k.Leaves()); err != nil {
			return nil, err
		}
	}
	facts, v, err := tx.screening().DecideClose(screening.Ending{Case: c.Case, Fit: c.Fit, Why: c.Why, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 && !v.Outcome.Admits() {
		if err := tx.turnBack(k, c.Officer); err != nil {
			return nil, err
		}
	}
	return tx.healthAnswer(c.Case, v, len(facts) > 0), nil
}

// turnBack ends the scan with which a person was sent to the desk, where it still waits.
func (tx *Tx) turnBack(k screening.Case, o people.OfficerID) error {
	p, s, err := tx.Gate.PendingScan(k.Pass, k.Scan)
	if err != nil || k.Scan == 0 || p.Pending != k.Scan || s.Direction != gate.In {
		return nil //nolint:nilerr // nothing waits any more
	}
	facts, _, err := tx.gate().DecideRuling(gate.Ruling{Pass: k.Pass, Serial: k.Scan, Why: "screened", Officer: string(o), Gate: s.Gate})
	if err != nil {
		return err
	}
	tx.record(facts)
	return nil
}

// Run ends an isolation.
func (c ReleaseHealth) Run(tx *Tx) (any, error) {
	if _, _, err := tx.health(c.Case, c.Officer); err != nil {
		return nil, err
	}
	facts, v, err := tx.screening().DecideRelease(screening.Relief{Case: c.Case, How: c.How, Why: c.Why, Tests: c.Tests, Officer: string(c.Officer)})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	return tx.healthAnswer(c.Case, v, len(facts) > 0), nil
}

// Run lets case files go.
func (c EraseHealth) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	if len(c.Cases) > MaxErase {
		return nil, problem.New(problem.Limit, "erasure.many")
	}
	if c.Officer != "" {
		for _, id := range c.Cases {
			k, _ := tx.Screening.Cases.Get(id)
			if _, err := tx.acting(c.Officer, k.Site, mayEraseFile); err != nil {
				return nil, err
			}
		}
	}
	facts, err := tx.screening().DecideErase(c.Cases, string(c.Officer))
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	for _, f := range facts {
		if f, ok := f.(*screening.FileErased); ok {
			tx.Sealed.Delete(f.Sealed)
		}
	}
	return EraseHealthAnswer{Erased: uint32(len(facts))}, nil
}

// HealthNext returns the command that lets the case files go whose time has come. It is
// false where there are none.
func HealthNext(st State, law *Law, now time.Time) (c EraseHealth, ok bool) {
	for _, s := range law.Sites(now) {
		for _, k := range st.Screening.Expired(s.Number, siteToday(law, s.Number, now), MaxErase-len(c.Cases)) {
			c.Cases = append(c.Cases, k.ID)
		}
		if len(c.Cases) >= MaxErase {
			break
		}
	}
	return c, len(c.Cases) > 0
}

// HealthCase returns a case.
func HealthCase(st State, id screening.ID) (screening.Case, bool) { return st.Screening.Cases.Get(id) }

// HealthOf returns the newest case of a person, by pass and by document.
func HealthOf(st State, id pass.ID, register [16]byte) (screening.Case, bool) {
	return st.Screening.Of(id, register)
}

// HealthWaiting returns a site's open cases, the oldest first, at most so many.
func HealthWaiting(st State, site uint16, most int) []screening.Case {
	return st.Screening.Waiting(site, most)
}

// HealthSent returns the scans of a site's day that wait for a health officer and have no
// case at the desk yet: their passes, the oldest first, at most so many.
func HealthSent(st State, law *Law, site, day uint16, most int) (list []gate.Presence) {
	n, _ := st.Gate.Days.Get(gate.SiteDayKey{Site: site, Day: day})
	for pos := range n.Roster {
		id, _ := st.Gate.Roster.Get(gate.RosterKey{Site: site, Day: day, Pos: pos})
		p, ok := st.Gate.Presences.Get(id)
		if !ok || p.Pending == 0 || p.Site != site || p.Day != day {
			continue
		}
		if c, ok := st.Screening.Of(id, [16]byte{}); ok && (c.Open() || c.Scan == p.Pending) {
			continue
		}
		for _, s := range p.Scans {
			if s.Serial != p.Pending {
				continue
			}
			for _, r := range s.Reasons {
				if r.Outcome.NeedsOfficer() && law.Decider(r, s.At) == string(people.Health) {
					list = append(list, p)
					break
				}
			}
		}
		if len(list) >= most {
			break
		}
	}
	return list
}
