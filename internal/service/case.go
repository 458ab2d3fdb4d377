// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/hex"
	"slices"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
)

// Contest opens a case about an answer. Where one is open about the same number, that is
// the answer, and nothing is recorded.
type Contest struct {
	ID      appeal.ID      `cbor:"1,keyasint,omitempty"` // random, chosen by the caller
	Subject appeal.Subject `cbor:"2,keyasint,omitempty"`
	Pass    pass.ID        `cbor:"3,keyasint"` // of a scan that belongs to one
	// Act are the reasons, without parameters, for which an act on a booking was refused, as
	// the server itself has just given them; such a refusal stands nowhere else.
	Act     []reason.Reason  `cbor:"4,keyasint,omitempty"`
	Days    uint16           `cbor:"5,keyasint,omitempty"` // within which an answer is promised where the edition does not say
	Officer people.OfficerID `cbor:"6,keyasint,omitempty"` // who opens it for the person, empty where they do
	// SealedID and Sealed are the person's words, Digest is SHA-256(salt ‖ words).
	SealedID string   `cbor:"7,keyasint,omitempty"`
	Sealed   []byte   `cbor:"8,keyasint,omitempty"`
	Digest   [32]byte `cbor:"9,keyasint"`
}

// AnswerCase answers a case.
type AnswerCase struct {
	Case     appeal.ID        `cbor:"1,keyasint,omitempty"`
	Changed  bool             `cbor:"2,keyasint,omitempty"` // the contested answer was wrong
	Ground   string           `cbor:"3,keyasint,omitempty"` // one of appeal.Upheld or appeal.Changed
	Clause   string           `cbor:"4,keyasint,omitempty"`
	Next     string           `cbor:"5,keyasint,omitempty"` // one of appeal.Nexts
	Officer  people.OfficerID `cbor:"6,keyasint,omitempty"`
	SealedID string           `cbor:"7,keyasint,omitempty"`
	Sealed   []byte           `cbor:"8,keyasint,omitempty"`
	Digest   [32]byte         `cbor:"9,keyasint"`
	// Agreement is the one of which Clause is; empty takes that of the contested answer.
	Agreement string `cbor:"10,keyasint,omitempty"`
}

// CaseAnswer is the case as it stands after the command.
type CaseAnswer struct {
	Case appeal.Case `cbor:"1,keyasint"`
}

// CommandKind names the command in logs and in forwarding.
func (Contest) CommandKind() string    { return "case.open" }
func (AnswerCase) CommandKind() string { return "case.answer" }

// Keys names the pass.
func (c Contest) Keys(k *Keys) {
	if c.Pass != (pass.ID{}) {
		k.Presences = append(k.Presences, c.Pass)
	}
}

// Keys names nothing.
func (c AnswerCase) Keys(k *Keys) {}

// Essence leaves out the case's number and the words, which are salted and sealed anew.
func (c Contest) Essence() any {
	c.ID, c.SealedID, c.Sealed, c.Digest = "", "", nil, [32]byte{}
	return c
}

// Essence leaves out the words, which are salted and sealed anew.
func (c AnswerCase) Essence() any {
	c.SealedID, c.Sealed, c.Digest = "", nil, [32]byte{}
	return c
}

func (tx *Tx) appeal() appeal.Desk {
	return appeal.Desk{State: tx.Appeal, Law: tx.Law, Now: tx.Now}
}

// Run opens a case. The words are kept only where it is a new one.
func (c Contest) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	m, ok := MatterOf(tx.State, c.Subject, c.Pass)
	if c.Officer != "" {
		if _, err := tx.acting(c.Officer, m.Site, mayContest); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, problem.New(problem.NotFound, "case.subject")
	}
	if len(c.Act) > 0 {
		if m.Kind != appeal.OfBooking || slices.ContainsFunc(c.Act, func(r reason.Reason) bool {
			return !r.Code.Valid() || r.Outcome == reason.None || r.Outcome > reason.Closed
		}) {
			return nil, problem.Field("act", "case.act")
		}
		m.At, m.Outcome, m.Reasons = tx.Now, reason.Worst(c.Act), c.Act
		if e, ok := tx.Law.EditionFor(m.Site, tx.Now); ok {
			m.Edition = hex.EncodeToString(e.Hash[:])
		}
	}
	facts, id, err := tx.appeal().DecideOpen(appeal.Contest{ID: c.ID, Matter: m, Today: siteToday(tx.Law, m.Site, tx.Now), Days: tx.answerWithin(m.Site, c.Days),
		By: string(c.Officer), Sealed: c.SealedID, Digest: c.Digest})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	if len(facts) > 0 {
		tx.Sealed.Put(c.SealedID, c.Sealed)
	}
	k, _ := tx.Appeal.Cases.Get(id)
	return CaseAnswer{Case: k}, nil
}

// answerWithin is the number of days within which an answer is promised at a site.
func (tx *Tx) answerWithin(site, days uint16) uint16 {
	if name, ok := tx.siteID(site); ok {
		if n, ok := tx.Law.Param(appeal.Parameter, name, tx.Side, tx.Now); ok && n > 0 && n <= appeal.MaxDays {
			return uint16(n)
		}
	}
	if days == 0 {
		return appeal.DefaultDays
	}
	return days
}

// Run answers a case, by a supervisor of its site whose own decision it is not.
func (c AnswerCase) Run(tx *Tx) (any, error) {
	if err := tx.whole(); err != nil {
		return nil, err
	}
	k, _ := tx.Appeal.Cases.Get(c.Case)
	if _, err := tx.acting(c.Officer, k.Site, mayAnswer); err != nil {
		return nil, err
	}
	m, _ := MatterOf(tx.State, k.Subject, k.Pass)
	facts, err := tx.appeal().DecideAnswer(appeal.Answer{Case: c.Case, Today: siteToday(tx.Law, k.Site, tx.Now), Changed: c.Changed, Ground: c.Ground, Clause: c.Clause, Agreement: c.Agreement,
		Next: c.Next, Officer: string(c.Officer), Corrected: m.Corrected, Sealed: c.SealedID, Digest: c.Digest})
	if err != nil {
		return nil, err
	}
	tx.record(facts)
	tx.Sealed.Put(c.SealedID, c.Sealed)
	k, _ = tx.Appeal.Cases.Get(c.Case)
	return CaseAnswer{Case: k}, nil
}

// MatterOf returns what stands under a number and can be contested: a request that gave no
// booking, a booking, a scan that was not simply let through, a lot. id is the pass of a
// scan that belongs to one.
func MatterOf(st State, s appeal.Subject, id pass.ID) (appeal.Matter, bool) {
	if site, day, serial, ok := s.Scan(); ok {
		return scanMatter(st, s, id, site, day, serial)
	}
	if s.Lot() {
		return lotMatter(st, s)
	}
	ref := booking.Ref(s)
	if r, ok := st.Booking.Refusals.Get(ref); ok && !r.Admitted {
		return appeal.Matter{Subject: s, Kind: appeal.OfRequest, Site: r.Slot.Site(), At: r.At, Outcome: r.Outcome, Reasons: r.Reasons, Edition: r.Edition,
			Officers: officers(r.Decided)}, true
	}
	b, ok := st.Booking.Bookings.Get(ref)
	return appeal.Matter{Subject: s, Kind: appeal.OfBooking, Site: b.Slot.Site(), At: b.At, Outcome: b.Passed, Reasons: b.PassedWhy}, ok
}

func scanMatter(st State, s appeal.Subject, id pass.ID, site, day uint16, serial uint64) (appeal.Matter, bool) {
	sc, ok := gate.Scan{}, false
	if id == (pass.ID{}) {
		sc, ok = strayOf(st, site, day, serial)
	} else if p, seen := st.Gate.Presences.Get(id); seen && p.Site == site && p.Day == day {
		if i := slices.IndexFunc(p.Scans, func(x gate.Scan) bool { return x.Serial == serial }); i >= 0 {
			sc, ok = p.Scans[i], true
		}
	}
	m := appeal.Matter{Subject: s, Kind: appeal.OfScan, Site: site, Pass: id, At: sc.At, Outcome: sc.Outcome, Reasons: sc.Reasons, Corrected: sc.Void || sc.Corrected != 0}
	if !ok || sc.Settled {
		return m, false
	}
	against := sc.Outcome != reason.Allow && sc.Outcome != reason.None && !sc.Admitted
	if sc.Decided != "" && !sc.Admitted {
		m.Officers = officers(sc.Decided)
	}
	if sc.Goods != reason.None && sc.Goods != reason.Allow && !sc.GoodsGo {
		m.Outcome, m.Reasons = reason.Strictest(m.Outcome, sc.Goods), slices.Concat(m.Reasons, sc.GoodsWhy)
		m.Officers = append(m.Officers, officers(sc.GoodsBy)...)
		against = true
	}
	m.Reasons = m.Reasons[:min(len(m.Reasons), 16)]
	return m, against
}

func lotMatter(st State, s appeal.Subject) (appeal.Matter, bool) {
	m := appeal.Matter{Subject: s, Kind: appeal.OfLot}
	if t, ok := st.Market.Turned.Get(string(s)); ok {
		m.Site, m.At, m.Outcome, m.Reasons, m.Edition = t.Site, t.At, t.Outcome, t.Reasons, t.Edition
		return m, true
	}
	p, _, ok := ReceiptOf(st, string(s))
	m.Site, m.At, m.Outcome, m.Reasons, m.Edition, m.Corrected, m.Officers = p.Site, p.At, p.Outcome, p.Reasons, p.Edition, p.Void, officers(p.Decided)
	return m, ok
}

func officers(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// ContestedScan returns the scan of a number that belongs to one of a person's passes on a
// day, with the pass.
func ContestedScan(st State, passes []pass.ID, number uint64) (gate.Presence, gate.Scan, bool) {
	for _, id := range passes {
		p, _ := st.Gate.Presences.Get(id)
		for _, s := range p.Scans {
			if s.Serial == number {
				return p, s, true
			}
		}
	}
	return gate.Presence{}, gate.Scan{}, false
}

// PassesOf returns the passes of a person at a site on a day, as this side knows them: of
// the booking that it sold, and that of the other side with which they were let in.
func PassesOf(st State, tag [16]byte, site, day uint16) (ids []pass.ID) {
	if tag == ([16]byte{}) {
		return nil
	}
	k := booking.ClaimKey{Tag: tag, Site: site, Day: day}
	if ref, ok := st.Booking.Claims.Get(k); ok {
		b, _ := st.Booking.Bookings.Get(ref)
		for _, m := range b.Members {
			if m.Tag == tag {
				ids = append(ids, m.Pass)
			}
		}
	}
	if id, ok := st.Gate.Guests.Get(k); ok {
		ids = append(ids, id)
	}
	return ids
}

// casesOf returns the cases about a booking, its request, and the scans of its passes.
func casesOf(st State, ref booking.Ref) []appeal.Case {
	list := st.Appeal.About(appeal.Subject(ref))
	b, _ := st.Booking.Bookings.Get(ref)
	for _, m := range b.Members {
		p, _ := st.Gate.Presences.Get(m.Pass)
		for _, s := range p.Scans {
			list = append(list, st.Appeal.About(appeal.ScanSubject(p.Site, p.Day, s.Serial))...)
		}
	}
	return list
}

// CaseOf returns the case of a number.
func CaseOf(st State, id appeal.ID) (appeal.Case, bool) { return st.Appeal.Cases.Get(id) }

// CaseAbout returns the newest case about a subject.
func CaseAbout(st State, s appeal.Subject) (appeal.Case, bool) { return st.Appeal.Of(s) }

// CasesWaiting returns a site's open cases, the oldest first, at most so many.
func CasesWaiting(st State, site uint16, most int) []appeal.Case {
	return st.Appeal.Waiting(site, most)
}

// CaseFigures returns how many cases a site has, and what happened to cases on a day.
func CaseFigures(st State, site, day uint16) (all appeal.SiteCases, on appeal.DayCases) {
	all, _ = st.Appeal.Sites.Get(site)
	on, _ = st.Appeal.Days.Get(appeal.DayKey{Site: site, Day: day})
	return all, on
}
