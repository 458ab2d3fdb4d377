// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/goods"
)

// CheckAgainst returns what keeps an edition from following another: a number that does
// not rise, a name of the edition before that is not its hash, a term that begins before
// that of the edition it follows, a notice that is too short where the last side signs
// at the instant at, an emergency act that is prolonged, and a framework's bound that is
// gone or changed. A zero at leaves the notice out; without a base it is all that is looked at. An edition that differs in emergency
// acts alone needs no notice. Bounds that read the values of the edition before are for
// package rules, which compiles them.
func (e *Edition) CheckAgainst(base *Edition, at time.Time) Faults {
	r := reader{e: e, file: "agreement.yaml"}
	if base == nil {
		r.notified(e.Notice, at)
		return r.faults
	}
	if base.ID != e.ID {
		r.fault(1, fmt.Sprintf("is an edition of %q, and the one before of %q", e.ID, base.ID), "compare it with an edition of the same agreement")
		return r.faults
	}
	if e.Number <= base.Number {
		r.fault(1, fmt.Sprintf("edition %d does not rise above %d", e.Number, base.Number), fmt.Sprintf("write edition: %d", base.Number+1))
	}
	switch e.Amends {
	case Hash{}:
		r.warn(1, "does not name the edition that it follows", fmt.Sprintf("write amends: %x", base.Hash))
	case base.Hash:
	default:
		r.fault(1, "amends another edition than this one", fmt.Sprintf("write amends: %x, or compare it with the edition that it names", base.Hash))
	}
	if e.From.Before(base.From) {
		r.fault(1, "is in force before the edition that it follows", "let it begin on "+base.From.Format(time.RFC3339)+" or later: what was decided stays decided")
	}
	if !e.urgent(base) {
		// The notice that holds is the longer one: an edition cannot shorten its own.
		r.notified(max(base.Notice, e.Notice), at)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Instruments)) {
		i, old := e.Instruments[id], base.Instruments[id]
		where := e.where["instrument "+id]
		r.file, r.owner = where.file, id
		if i.Status == StatusEmergency && old.Status == StatusEmergency && !old.Until.IsZero() && before(old.Until, i.Until) {
			r.fault(where.line, fmt.Sprintf("an emergency act that is prolonged from %s to %s", old.Until, i.Until), "let it lapse, and write a new act with an id and dates of its own")
		}
		if i.Status == StatusEmergency && old.ID != "" && old.Side != i.Side {
			r.fault(where.line, "an emergency act that changes its side", "write a new act")
		}
	}
	r.bounds(base)
	r.faults.Sort()
	return r.faults
}

// notified faults a term that begins sooner after the last signature than the notice.
func (r *reader) notified(notice time.Duration, at time.Time) {
	if from := r.e.From; !at.IsZero() && from.Sub(at) < notice {
		what := fmt.Sprintf("begins %s after the last signature", span(from.Sub(at)))
		if from.Before(at) {
			what = fmt.Sprintf("began %s before the last signature", span(at.Sub(from)))
		}
		if notice > 0 {
			what += ", and the notice is " + span(notice)
		}
		r.fault(1, what, "let it begin at "+at.Add(notice).UTC().Format(time.RFC3339)+" or later")
	}
}

// span writes a length of time in days or hours.
func span(d time.Duration) string {
	n, unit := d/time.Hour, "hour"
	switch {
	case d%(24*time.Hour) == 0 || d >= 240*time.Hour:
		n, unit = d/(24*time.Hour), "day"
	case n == 0:
		return "less than an hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// bounds faults bounds of frameworks that the edition before has and this one lacks or
// has in other words, while the framework goes on.
func (r *reader) bounds(base *Edition) {
	e := r.e
	for _, b := range base.Clauses {
		i := base.Instruments[b.Instrument]
		if b.Kind != KindBound || i.Status != StatusFramework {
			continue
		}
		if from, _ := e.term(); !i.Until.IsZero() && over(from, i.Until) {
			continue
		}
		c := e.Clause(b.ID)
		switch {
		case c == nil:
			r.file, r.owner = b.File, b.ID
			r.fault(1, fmt.Sprintf("the bound %s of %s is gone", b.ID, b.Instrument), "keep it: a framework is not changed by those whom it binds")
		case c.Kind != KindBound || c.Require != b.Require || c.When != b.When || e.Instruments[c.Instrument].Status != StatusFramework || !reflect.DeepEqual(c.Holds, b.Holds):
			r.file, r.owner = c.File, c.ID
			r.fault(c.Line, fmt.Sprintf("the bound of %s is changed", b.Instrument), "keep it as it is in the edition before")
		}
	}
}

// urgent reports whether the edition differs from another in emergency acts alone, with
// the clauses of these and what is declared for them.
func (e *Edition) urgent(base *Edition) bool {
	acts := func(x *Edition) map[string]any {
		out := map[string]any{}
		for id, i := range x.Instruments {
			if i.Status == StatusEmergency {
				out["instrument "+id] = i
			}
		}
		for _, c := range x.Clauses {
			if x.Instruments[c.Instrument].Status == StatusEmergency {
				y := *c
				y.Line, y.File = 0, ""
				out["clause "+c.ID] = y
			}
		}
		return out
	}
	if reflect.DeepEqual(acts(e), acts(base)) {
		return false
	}
	return reflect.DeepEqual(lasting(base, base), lasting(e, base))
}

// lasting returns what an emergency act may not touch: all of the edition but its
// emergency acts and what the edition before does not have of parameters, attributes
// and events.
func lasting(e, base *Edition) map[string]any {
	out := map[string]any{
		"id": e.ID, "title": e.Title, "zone": e.Zone, "currency": e.Currency, "rounding": e.Rounding, "until": e.Until, "notice": e.Notice,
		"members": e.Members, "parties": e.Parties, "sites": e.Sites, "classes": e.Classes,
	}
	for id, i := range e.Instruments {
		if i.Status != StatusEmergency {
			out["instrument "+id] = i
		}
	}
	for id, a := range e.Attributes {
		if _, ok := base.Attributes[id]; ok {
			a.Line, a.File = 0, ""
			out["attribute "+id] = a
		}
	}
	for id, k := range e.Events {
		if _, ok := base.Events[id]; ok {
			k.Line, k.File = 0, ""
			out["event "+id] = k
		}
	}
	for id, p := range e.Parameters {
		if base.Parameters[id] != nil {
			x := *p
			x.Line, x.File = 0, ""
			out["parameter "+id] = x
		}
	}
	for id, q := range e.Questions {
		if _, ok := base.Questions[id]; ok {
			out["question "+id] = q
		}
	}
	for _, c := range e.Clauses {
		if e.Instruments[c.Instrument].Status != StatusEmergency {
			x := *c
			x.Line, x.File = 0, ""
			out["clause "+c.ID] = x
		}
	}
	for _, f := range e.Files {
		switch path.Dir(f.Path) {
		case "lists", "tables", "health", "schedule", "sharing", "keys":
			out["file "+f.Path] = f
		}
	}
	return out
}

// ErrNomenclature is the error of a nomenclature that cannot be read.
var ErrNomenclature = errors.New("agreement: nomenclature")

// ParseNomenclature reads the codes of a nomenclature, such as HS 2022, from CSV: the
// column named hscode or code, or the first one where no line names columns. Codes are
// kept as they are written but for dots, those of two to six digits; others are left out.
func ParseNomenclature(data []byte) (map[string]bool, error) {
	if len(data) > 16<<20 {
		return nil, fmt.Errorf("%w: larger than 16 MiB", ErrNomenclature)
	}
	c := csv.NewReader(bytes.NewReader(data))
	c.FieldsPerRecord, c.ReuseRecord, c.LazyQuotes = -1, true, true
	codes := map[string]bool{}
	column := 0
	for first := true; ; first = false {
		row, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNomenclature, err)
		}
		if first {
			for i, h := range row {
				if h == "hscode" || h == "code" {
					column = i
				}
			}
		}
		if column < len(row) {
			if code, ok := plainCode(strings.TrimSpace(row[column])); ok && len(code) <= 6 {
				codes[code] = true
			}
		}
	}
	if len(codes) == 0 {
		return nil, fmt.Errorf("%w: no codes of two to six digits", ErrNomenclature)
	}
	return codes, nil
}

// CheckNomenclature faults the lines of lists of goods whose first six digits are not in
// a nomenclature; of a shorter code, that no code of it begins so.
func (e *Edition) CheckNomenclature(codes map[string]bool) Faults {
	known := map[string]bool{}
	for code := range codes {
		for n := 2; n <= len(code); n++ {
			known[code[:n]] = true
		}
	}
	var fs Faults
	for _, id := range slices.Sorted(maps.Keys(e.Lists)) {
		for _, x := range e.Lists[id].Lines() {
			code := x.Code[:min(len(x.Code), 6)]
			if !known[code] {
				fs = append(fs, Fault{File: e.lineFile[id], Line: x.Row, Clause: id, What: fmt.Sprintf("%s is not in the nomenclature: nothing begins with %s", goods.FormatCode(x.Code), goods.FormatCode(code)), Mend: "compare the code with the text"})
			}
		}
	}
	fs.Sort()
	return fs
}
