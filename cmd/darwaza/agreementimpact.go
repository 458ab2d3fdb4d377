// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/store"
)

func impactVerb(f flagSet) func(context.Context, console, []string) error {
	facts := f.String("facts", "", "`file` of recorded decisions, one JSON object a line; - for standard input")
	db := f.String("db", "", "`address` of a post's database, whose record is read")
	export := f.String("export", "", "--db: `file` to which the decisions are written as --facts reads them")
	at := f.String("at", "", "`day` from which the draft is tried: every decision is moved into the week that begins then")
	flips := f.String("flips", "", "`file` to which each decision that would flip is written, one JSON object a line")
	asJSON := f.Bool("json", false, "print JSON")
	return func(ctx context.Context, c console, args []string) error {
		if (*facts == "") == (*db == "") {
			return wrong("want either --facts or --db")
		}
		if *export != "" && *db == "" {
			return wrong("--export needs --db")
		}
		e, law, err := compiled(args[0])
		if err != nil {
			return err
		}
		i := &impact{edition: e, law: law, workers: runtime.GOMAXPROCS(0)}
		if i.replay, err = replayAt(e, law, *at); err != nil {
			return err
		}
		sum, err := i.run(ctx, func(lines chan<- [][]byte) error {
			switch {
			case *db != "":
				return fromRecord(ctx, *db, *export, lines)
			case *facts == "-":
				return fromLines(ctx, c.in, lines)
			}
			in, err := os.Open(*facts)
			if err != nil {
				return problem.Newf(problem.NotFound, "impact.file", "%w", err)
			}
			defer in.Close()
			return fromLines(ctx, in, lines)
		}, *flips)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(c.out, sum)
		}
		sum.tell(c.out)
		return nil
	}
}

// replayAt makes the replay, from the start of a day by the edition's clock where one is
// named.
func replayAt(e *agreement.Edition, law *rules.Law, at string) (*rules.Replay, error) {
	var from time.Time
	if at != "" {
		d, err := time.ParseInLocation(time.DateOnly, at, law.Zone(e.Sites[0].ID))
		if err != nil {
			return nil, wrong("--at %q is no day such as 2026-07-01", at)
		}
		from = d
	}
	r, err := rules.NewReplay(law, from)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// impact is one run over recorded decisions. Lines are read in order, asked again by
// workers in parcels, and counted: sums do not depend on who was first.
type impact struct {
	edition *agreement.Edition
	law     *rules.Law
	replay  *rules.Replay
	workers int
}

const parcel = 512 // lines that a worker takes at once

func (i *impact) run(ctx context.Context, read func(lines chan<- [][]byte) error, flips string) (*summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out *bufio.Writer
	var file *os.File
	if flips != "" {
		var err error
		if file, err = os.Create(flips); err != nil {
			return nil, problem.Newf(problem.Invalid, "impact.flips", "%w", err)
		}
		defer file.Close()
		out = bufio.NewWriter(file)
	}
	lines := make(chan [][]byte, 2*i.workers)
	readErr := make(chan error, 1)
	go func() {
		readErr <- read(lines)
		close(lines)
	}()
	var mu sync.Mutex
	total := newSummary(i.edition)
	var fault error
	var wg sync.WaitGroup
	for range i.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for batch := range lines {
				if ctx.Err() != nil {
					continue // the reader must not wait for ever
				}
				part, flipped, err := i.batch(batch)
				mu.Lock()
				total.add(part)
				if err == nil && out != nil {
					_, err = out.Write(flipped)
				}
				if err != nil && fault == nil {
					fault = err
					cancel()
				}
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if err := <-readErr; fault == nil {
		fault = err
	}
	if fault == nil && out != nil {
		fault = problem.Wrap(problem.Internal, "impact.flips", errors.Join(out.Flush(), file.Sync()))
	}
	if fault == nil {
		fault = ctx.Err()
	}
	return total, fault
}

// flip is a line of --flips.
type flip struct {
	Seq     uint64         `json:"seq"`
	At      time.Time      `json:"at"`
	Point   rules.Point    `json:"point"`
	Old     reason.Outcome `json:"old"`
	New     reason.Outcome `json:"new"`
	Clauses []string       `json:"clauses,omitempty"`
}

func (i *impact) batch(lines [][]byte) (*summary, []byte, error) {
	s := newSummary(i.edition)
	var flipped []byte
	for _, line := range lines {
		d, err := rules.ParseRecorded(line)
		if err != nil {
			return s, nil, problem.Newf(problem.Invalid, "impact.line", "%w: %.200s", err, line)
		}
		r, err := i.replay.Ask(d)
		if err != nil {
			return s, nil, problem.Newf(problem.Invalid, "impact.line", "decision %d: %w", d.Seq, err)
		}
		s.count(d.Seq, r)
		if r.Flips() {
			b, err := json.Marshal(flip{d.Seq, r.At, r.Point, r.Old, r.New, r.Clauses})
			if err != nil {
				return s, nil, problem.Wrap(problem.Internal, "impact.flips", err)
			}
			flipped = append(append(flipped, b...), '\n')
		}
	}
	return s, flipped, nil
}

// summary is what a draft would change.
type summary struct {
	Agreement string `json:"agreement"`
	Edition   int    `json:"edition"`
	Hash      string `json:"hash"`
	Decisions int    `json:"decisions"`
	Same      int    `json:"same"`
	Flips     int    `json:"flips"`
	// Silent are those for whose time the draft has no edition in force.
	Silent int `json:"silent"`
	// Lacking could not be asked again; Lacks says for want of what, a decision counting
	// for each.
	Lacking int            `json:"lacking"`
	Lacks   map[string]int `json:"lacks,omitempty"`
	// Clauses are the flips by clause, a decision counting for each clause behind it.
	Clauses []*turn `json:"clauses"`
	by      map[turnKey]*turn
}

// turn is one way in which decisions flip by one clause.
type turn struct {
	Clause string         `json:"clause"` // empty where no clause is named
	Point  rules.Point    `json:"point"`
	Old    reason.Outcome `json:"old"`
	New    reason.Outcome `json:"new"`
	Count  int            `json:"count"`
	// First are the positions of the first of them.
	First []uint64 `json:"first"`
	// Since and Till are when the first and the last of them were asked again.
	Since time.Time `json:"since"`
	Till  time.Time `json:"till"`
}

type turnKey struct {
	clause   string
	point    rules.Point
	old, new reason.Outcome
}

const examples = 3 // positions of decisions that are shown for each turn

func newSummary(e *agreement.Edition) *summary {
	return &summary{Agreement: e.ID, Edition: e.Number, Hash: fmt.Sprintf("%x", e.Hash[:]), Lacks: map[string]int{}, Clauses: []*turn{}, by: map[turnKey]*turn{}}
}

func (s *summary) count(seq uint64, r rules.Replayed) {
	s.Decisions++
	switch {
	case r.Silent:
		s.Silent++
	case len(r.Lacks) > 0:
		s.Lacking++
		for _, l := range r.Lacks {
			s.Lacks[l]++
		}
	case !r.Flips():
		s.Same++
	default:
		s.Flips++
		clauses := r.Clauses
		if len(clauses) == 0 {
			clauses = []string{""}
		}
		for _, c := range clauses {
			s.turn(turnKey{c, r.Point, r.Old, r.New}, 1, []uint64{seq}, r.Tried, r.Tried)
		}
	}
}

func (s *summary) turn(k turnKey, n int, first []uint64, since, till time.Time) {
	t := s.by[k]
	if t == nil {
		t = &turn{Clause: k.clause, Point: k.point, Old: k.old, New: k.new}
		s.by[k] = t
		s.Clauses = append(s.Clauses, t)
	}
	if t.Count == 0 || since.Before(t.Since) {
		t.Since = since
	}
	if till.After(t.Till) {
		t.Till = till
	}
	t.Count += n
	t.First = append(t.First, first...)
	slices.Sort(t.First)
	t.First = t.First[:min(len(t.First), examples)]
}

// add takes another sum in. The order in which parts come makes no difference.
func (s *summary) add(o *summary) {
	s.Decisions += o.Decisions
	s.Same += o.Same
	s.Flips += o.Flips
	s.Silent += o.Silent
	s.Lacking += o.Lacking
	for k, n := range o.Lacks {
		s.Lacks[k] += n
	}
	for k, t := range o.by {
		s.turn(k, t.Count, t.First, t.Since, t.Till)
	}
	slices.SortFunc(s.Clauses, func(a, b *turn) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Clause, b.Clause), cmp.Compare(a.Point, b.Point), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
}

func (s *summary) tell(w io.Writer) {
	fmt.Fprintf(w, "%s under edition %d of %s: %d the same, %d would flip\n", count(s.Decisions, "decision"), s.Edition, s.Agreement, s.Same, s.Flips)
	for _, t := range s.Clauses {
		clause := t.Clause
		if clause == "" {
			clause = "no clause of which the record has a reason"
		}
		days := t.Since.Format(time.DateOnly)
		if last := t.Till.Format(time.DateOnly); last != days {
			days += " to " + last
		}
		fmt.Fprintf(w, "  %s, at %s: %d from %s to %s, asked of %s (UTC), such as", clause, t.Point, t.Count, t.Old, t.New, days)
		for _, seq := range t.First {
			fmt.Fprintf(w, " %d", seq)
		}
		fmt.Fprintln(w)
	}
	if s.Silent > 0 {
		fmt.Fprintf(w, "%d fall on a time at which this edition is not in force; --at moves them into its term\n", s.Silent)
	}
	if s.Lacking > 0 {
		fmt.Fprintf(w, "%d cannot be asked again, for want of what the record does not hold:\n", s.Lacking)
		for _, k := range slices.Sorted(maps.Keys(s.Lacks)) {
			fmt.Fprintf(w, "  %s: %d\n", k, s.Lacks[k])
		}
	}
}

// fromLines reads an export.
func fromLines(ctx context.Context, in io.Reader, lines chan<- [][]byte) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 1<<16), rules.MaxQuery)
	var batch [][]byte
	for s.Scan() {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if batch = append(batch, bytes.Clone(s.Bytes())); len(batch) == parcel {
			lines <- batch
			batch = nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	lines <- batch
	if err := s.Err(); err != nil {
		return problem.Newf(problem.Invalid, "impact.file", "the decisions cannot be read: %w", err)
	}
	return nil
}

// fromRecord reads the decisions that stand in a post's record, and writes them as an
// export where one is wanted.
func fromRecord(ctx context.Context, url, export string, lines chan<- [][]byte) (err error) {
	st, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer st.Close()
	size, err := st.Size(ctx)
	if err != nil {
		return err
	}
	var out *bufio.Writer
	if export != "" {
		f, err := os.Create(export)
		if err != nil {
			return problem.Newf(problem.Invalid, "impact.export", "%w", err)
		}
		defer f.Close()
		out = bufio.NewWriter(f)
	}
	var batch [][]byte
	for rec, err := range st.Facts(ctx, 0, size) {
		if err != nil {
			return err
		}
		for _, a := range asked(rec.Fact) {
			b, err := json.Marshal(rules.Recorded{Seq: rec.Index, Query: json.RawMessage(a.Query), Withheld: a.Withheld, Missing: a.Missing, Outcome: a.Outcome, Reasons: a.reasons, By: a.By})
			if err != nil {
				return problem.Newf(problem.Internal, "impact.record", "entry %d: %w", rec.Index, err)
			}
			if out != nil {
				out.Write(b)
				out.WriteByte('\n')
			}
			if batch = append(batch, b); len(batch) == parcel {
				lines <- batch
				batch = nil
			}
		}
	}
	lines <- batch
	if out != nil {
		return problem.Wrap(problem.Internal, "impact.export", out.Flush())
	}
	return nil
}

// question is a question as a fact keeps it, with the law's reasons.
type question struct {
	rules.Asked
	reasons []reason.Reason
}

// asked returns the questions to the law that a fact holds.
func asked(f fact.Fact) []question {
	var out []question
	add := func(all []rules.Asked, reasons []reason.Reason) {
		for _, a := range all {
			if a.Query != "" {
				out = append(out, question{a, reasons})
			}
		}
	}
	switch f := f.(type) {
	case *booking.Made:
		add(f.Asked, nil)
	case *booking.Queued:
		add(f.Asked, nil)
	case *booking.Refused:
		add(f.Asked, f.Reasons)
	case *gate.Scanned:
		add(f.Asked, f.Reasons)
	case *market.Bought:
		add(f.Asked, f.Reasons)
	case *market.Turned:
		add(f.Asked, f.Reasons)
	}
	return out
}
