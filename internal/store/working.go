// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"sync/atomic"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/table"
)

// Working is state as its holder sees it: rows read from a database when they are first
// asked for, and kept. The log's owner runs commands on one and hands what they changed to
// the database in batches; a reader has one for each view; a rebuild has one with no
// database under it. It is for one goroutine.
type Working struct {
	State service.State

	codec  *fact.Codec
	prefix string       // of the names of the tables, where the state is another log's
	src    engine.Reads // nil where there is nothing to read
	ctx    context.Context
	write  bool
	ended  bool // the view is over, and the state must no longer be used

	tables []tabled
	// touched are the tables that were changed since Begin: few of them.
	touched []tabled
	slots   *rows[booking.SlotID, booking.Slot]
	kept    *rows[string, Kept]
	pages   pages
	fault   error

	// batch numbers the batch being made, and settled is the last that is committed. A row
	// changed in a batch that is not settled stands nowhere else, so it is never let go.
	batch, settled uint64
	limit          int // rows of one table that are kept before the older half is let go
}

// tabled is a table without its types.
type tabled interface {
	tableName() string
	begin()
	undo()
	encode() error
	collect() (engine.Rows, error)
	trim()
	all(f func(k, v []byte) error) error
	empty()
	learn(ctx context.Context, snap engine.Snapshot) error
}

// keepRows is how many rows of a table the log's owner keeps before it lets the older ones
// go. Many more would cost the collector of garbage what they save the database.
const keepRows = 1 << 12

func newWorking(codec *fact.Codec, src engine.Reads, write bool) *Working {
	w := &Working{codec: codec, src: src, ctx: context.Background(), write: write, batch: 1, limit: keepRows}
	w.build()
	return w
}

// NewWorking returns the owner's state over what is committed now, for the lease of an
// epoch. Nobody else may write while it is in use.
func (s *Store) NewWorking(epoch uint64) *Working {
	w := newWorking(s.codec, s.eng, true)
	w.pages = pages{epoch: epoch, from: make([]byte, 16)}
	return w
}

// Begin marks the beginning of a command.
func (w *Working) Begin() {
	for _, t := range w.touched {
		t.begin()
	}
	w.touched = w.touched[:0]
}

// Undo takes back what was changed since Begin.
func (w *Working) Undo() {
	for _, t := range w.touched {
		t.undo()
	}
	w.touched = w.touched[:0]
}

// Learn reads the keys of the tables whose rows are mostly asked for in vain, so that the
// database need not be. It may run beside everything else; until it is done every row is
// looked up. It is for the log's owner, as only its own changes are learnt later.
func (w *Working) Learn(ctx context.Context, eng engine.Engine) error {
	snap, err := eng.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	for _, t := range w.tables {
		if err := t.learn(ctx, snap); err != nil {
			return err
		}
	}
	return nil
}

// Fault returns the first fault in reading since it was last asked, and forgets it.
// What was decided since Begin rests on a row that could not be read: it is to be undone.
func (w *Working) Fault() error {
	err := w.fault
	w.fault = nil
	return err
}

// Encode encodes what was changed so far, ahead of Collect, while there is time for it.
func (w *Working) Encode() error {
	for _, t := range w.tables {
		if err := t.encode(); err != nil {
			return err
		}
	}
	return nil
}

// Collect returns the rows changed since it was last called: one batch.
func (w *Working) Collect() (rows []engine.Rows, batch uint64, err error) {
	for _, t := range w.tables {
		r, err := t.collect()
		if err != nil {
			return nil, 0, err
		}
		if len(r.Keys) > 0 || len(r.Gone) > 0 {
			rows = append(rows, r)
		}
	}
	if r := w.pages.collect(); len(r.Keys) > 0 || len(r.Gone) > 0 {
		rows = append(rows, r)
	}
	w.batch++
	return rows, w.batch - 1, nil
}

// end forgets everything that a view has read.
func (w *Working) end() {
	w.src, w.ctx, w.ended = nil, nil, true
	for _, t := range w.tables {
		t.empty()
	}
}

// Settle says that a batch is committed, and all before it.
func (w *Working) Settle(batch uint64) {
	w.settled = batch
	for _, t := range w.tables {
		t.trim()
	}
}

// Prefetch reads the rows that commands named, and the answers kept under these keys, in
// one go, where they are not known yet.
func (w *Working) Prefetch(ctx context.Context, k *service.Keys, kept []string) error {
	var f fetcher
	want(&f, w.kept, kept)
	st := &w.State
	want(&f, st.Booking.Slots, k.Slots)
	want(&f, st.Booking.Bookings, k.Bookings)
	want(&f, st.Booking.Claims, k.Claims)
	want(&f, st.Booking.Holders, k.Holders)
	want(&f, st.Booking.Acks, k.Acks)
	want(&f, st.Levels.Standings, k.Levels)
	want(&f, st.Intake.Standings, k.Intake)
	want(&f, st.Booking.Transfers, k.Slots)
	want(&f, st.Closures.Standings, k.Closures)
	want(&f, st.Gate.Presences, k.Presences)
	want(&f, st.Gate.Days, k.Days)
	want(&f, st.Market.Values, k.Values)
	want(&f, st.Market.Ledgers, k.Ledgers)
	want(&f, st.Market.Vendors, k.Vendors)
	if len(f.reqs) == 0 {
		return nil
	}
	err := problem.Wrap(problem.Offline, "store.read", w.src.Fetch(ctx, f.reqs))
	for _, take := range f.take {
		if err == nil {
			err = problem.Wrap(problem.Internal, "store.row", take())
		}
	}
	if err != nil {
		for _, drop := range f.drop {
			drop()
		}
	}
	return err
}

// A fetcher gathers what is to be read, how to take it in, and how to go back.
type fetcher struct {
	reqs []engine.Request
	take []func() error
	drop []func()
}

func want[K comparable, V any](f *fetcher, t table.Table[K, V], keys []K) {
	if len(keys) == 0 {
		return
	}
	r := t.(*rows[K, V])
	var missing []K
	var raw [][]byte
	for _, k := range keys {
		if _, known := r.cell(k); known {
			continue
		}
		if r.absent(k) {
			continue
		}
		// Until it is read it counts as absent, so that a key named twice is asked for once.
		r.keep(k, cell[V]{})
		missing = append(missing, k)
		raw = append(raw, r.key(nil, k))
	}
	if len(missing) == 0 {
		return
	}
	at := len(f.reqs)
	f.reqs = append(f.reqs, engine.Request{Table: r.name, Keys: raw})
	f.drop = append(f.drop, func() {
		for _, k := range missing {
			delete(r.young, k)
		}
	})
	f.take = append(f.take, func() error {
		for i, v := range f.reqs[at].Values {
			if v == nil {
				continue
			}
			c := cell[V]{ok: true}
			if err := r.dec(missing[i], v, &c.v); err != nil {
				return err
			}
			r.keep(missing[i], c)
		}
		return nil
	})
}

// Check reports a slot that was sold above its allotment since Begin: what the database
// would refuse, found while one command can still be undone alone.
func (w *Working) Check() error {
	for _, c := range w.slots.log {
		s := w.slots.young[c.k].v
		if uint64(s.Taken)+uint64(s.Withheld)+uint64(s.Offered) > uint64(s.Allotment)+uint64(s.Excess) {
			return problem.Newf(problem.Internal, "slot.oversold", "slot %d: %d taken, %d withheld, %d offered of %d, with an excess of %d",
				c.k, s.Taken, s.Withheld, s.Offered, s.Allotment, s.Excess)
		}
	}
	return nil
}

// A cell is what is known of one key.
type cell[V any] struct {
	v     V
	ok    bool   // there is a row
	batch uint64 // in which it was last changed, 0 where it is as it was read
	at    int    // its place among the changed rows of that batch
}

type change[K comparable, V any] struct {
	k     K
	old   cell[V]
	known bool
}

// rows is a table over rows of a database.
type rows[K comparable, V any] struct {
	w    *Working
	name string
	key  func(dst []byte, k K) []byte
	enc  func(dst []byte, v *V) ([]byte, error) // appends
	dec  func(k K, b []byte, v *V) error

	// What is known, in two generations: when the younger is full, the older is let go
	// and the younger becomes the older.
	young, old map[K]cell[V]

	// learns is set where most keys that are asked for are new. stored holds the keys that
	// were in the database when this state was made, once they have been read, and put
	// those that were set since: what is in neither is nowhere.
	learns bool
	stored atomic.Pointer[keyset]
	put    keyset

	scratch []byte // room for a key
	size    int    // of a row that was encoded lately, with its key

	changed []K    // in this batch, each once
	fresh   []bool // whether each of changed was surely in no row before this batch
	mark    int    // length of changed at Begin
	// made is what is encoded of the first of changed already: keys and values side by
	// side. A key is nil where the row changed again since, and a value where it is gone.
	made struct{ keys, values [][]byte }
	log  []change[K, V]
}

func (r *rows[K, V]) tableName() string { return r.name }

func (r *rows[K, V]) cell(k K) (cell[V], bool) {
	if c, ok := r.young[k]; ok {
		return c, true
	}
	c, ok := r.old[k]
	if ok {
		r.keep(k, c)
	}
	return c, ok
}

func (r *rows[K, V]) keep(k K, c cell[V]) {
	if r.young == nil {
		r.young = map[K]cell[V]{}
	}
	r.young[k] = c
}

// load returns what is known of a key, reading it where nothing is.
func (r *rows[K, V]) load(k K) cell[V] {
	if c, ok := r.cell(k); ok {
		return c
	}
	if r.w.ended {
		panic("store: a view is used after its end: " + r.name)
	}
	if r.w.src == nil {
		r.keep(k, cell[V]{})
		return cell[V]{}
	}
	if r.absent(k) {
		return cell[V]{}
	}
	return r.read(k)
}

// read reads a row of the database.
func (r *rows[K, V]) read(k K) cell[V] {
	var c cell[V]
	reqs := []engine.Request{{Table: r.name, Keys: [][]byte{r.key(nil, k)}}}
	err := r.w.src.Fetch(r.w.ctx, reqs)
	if err != nil {
		err = problem.Wrap(problem.Offline, "store.read", err)
	} else if b := reqs[0].Values[0]; b != nil {
		c.ok = true
		err = problem.Wrap(problem.Internal, "store.row", r.dec(k, b, &c.v))
	}
	if err != nil {
		r.w.fault = errors.Join(r.w.fault, err)
		return cell[V]{} // not kept: the next to ask reads again
	}
	r.keep(k, c)
	return c
}

// Get returns the value of k.
func (r *rows[K, V]) Get(k K) (V, bool) {
	c := r.load(k)
	return c.v, c.ok
}

// Put sets the value of k.
func (r *rows[K, V]) Put(k K, v V) { r.set(k, cell[V]{v: v, ok: true}) }

// Delete removes k.
func (r *rows[K, V]) Delete(k K) { r.set(k, cell[V]{}) }

func (r *rows[K, V]) set(k K, c cell[V]) {
	if !r.w.write {
		panic("store: a view is only read: " + r.name)
	}
	old, known := r.cell(k)
	if len(r.log) == 0 {
		r.w.touched = append(r.w.touched, r)
	}
	r.log = append(r.log, change[K, V]{k, old, known})
	if old.batch != r.w.batch {
		r.fresh = append(r.fresh, known && !old.ok || !known && r.absent(k))
	}
	if r.learns {
		if r.scratch = r.key(r.scratch[:0], k); !r.put.has(r.scratch) {
			r.put.add(r.scratch)
		}
	}
	c.batch, c.at = r.w.batch, len(r.changed)
	if old.batch != r.w.batch {
		r.changed = append(r.changed, k)
	} else {
		c.at = old.at
		if c.at < len(r.made.keys) {
			r.made.keys[c.at] = nil
		}
	}
	r.keep(k, c)
}

func (r *rows[K, V]) begin() {
	if len(r.log) > 0 {
		clear(r.log)
		r.log = r.log[:0]
	}
	r.mark = len(r.changed)
}

func (r *rows[K, V]) undo() {
	for i := len(r.log) - 1; i >= 0; i-- {
		c := r.log[i]
		if c.known {
			r.keep(c.k, c.old)
		} else {
			delete(r.young, c.k)
		}
	}
	r.changed, r.fresh = r.changed[:r.mark], r.fresh[:r.mark]
	r.cut(min(len(r.made.keys), r.mark))
	r.begin()
}

// cut keeps the first n of what is encoded.
func (r *rows[K, V]) cut(n int) {
	m := &r.made
	m.keys, m.values = m.keys[:n], m.values[:n]
}

func (r *rows[K, V]) encode() error {
	if len(r.changed) == 0 {
		return nil
	}
	m := &r.made
	// Keys and values are laid side by side. Where the room grows, those before stay where
	// they are.
	room := make([]byte, 0, r.size*(len(r.changed)-len(m.keys)))
	for i, k := range r.changed {
		if i == len(m.keys) {
			m.keys, m.values = append(m.keys, nil), append(m.values, nil)
		}
		if m.keys[i] != nil {
			continue
		}
		c, _ := r.cell(k)
		m.values[i] = nil
		before := len(room)
		if c.ok {
			from := len(room)
			var err error
			if room, err = r.enc(room, &c.v); err != nil {
				return err
			}
			m.values[i] = room[from:len(room):len(room)]
		}
		from := len(room)
		room = r.key(room, k)
		m.keys[i] = room[from:len(room):len(room)]
		r.size = max(len(room)-before, r.size-r.size/16)
	}
	return nil
}

func (r *rows[K, V]) collect() (engine.Rows, error) {
	out := engine.Rows{Table: r.name}
	if len(r.changed) == 0 {
		return out, nil
	}
	if err := r.encode(); err != nil {
		return out, err
	}
	m := &r.made
	n := len(m.keys)
	out.Keys, out.Values = make([][]byte, 0, n), make([][]byte, 0, n)
	for _, fresh := range [...]bool{true, false} {
		for i, k := range m.keys {
			switch {
			case r.fresh[i] != fresh:
			case m.values[i] == nil:
				out.Gone = append(out.Gone, k)
			default:
				out.Keys, out.Values = append(out.Keys, k), append(out.Values, m.values[i])
			}
		}
		if fresh {
			out.Fresh = len(out.Keys)
		}
	}
	clear(m.keys)
	clear(m.values)
	r.cut(0)
	clear(r.changed)
	r.changed, r.fresh, r.mark = r.changed[:0], r.fresh[:0], 0
	r.begin()
	return out, nil
}

// trim lets the older generation go where the younger is full.
func (r *rows[K, V]) trim() {
	if len(r.young) < r.w.limit {
		return
	}
	for k, c := range r.old {
		if _, again := r.young[k]; !again && c.batch > r.w.settled {
			r.young[k] = c
		}
	}
	spare := r.old
	if len(spare) > 4*r.w.limit {
		spare = nil // room that one large batch took is not kept
	}
	clear(spare)
	r.old, r.young = r.young, spare
}

// absent reports that a key is surely not in the database.
func (r *rows[K, V]) absent(k K) bool {
	stored := r.stored.Load()
	if stored == nil {
		return false
	}
	r.scratch = r.key(r.scratch[:0], k)
	return !stored.has(r.scratch) && !r.put.has(r.scratch)
}

func (r *rows[K, V]) learn(ctx context.Context, snap engine.Snapshot) error {
	if !r.learns {
		return nil
	}
	var set keyset
	if err := snap.Keys(ctx, r.name, func(k []byte) error { set.add(k); return nil }); err != nil {
		return err
	}
	r.stored.Store(&set)
	return nil
}

// empty forgets every row. Room that a large view took is not kept.
func (r *rows[K, V]) empty() {
	if len(r.young) > 64 {
		r.young = nil
	} else {
		clear(r.young)
	}
}

// all calls f with every row that is known, in no order.
func (r *rows[K, V]) all(f func(k, v []byte) error) error {
	for k, c := range r.young {
		if !c.ok {
			continue
		}
		v, err := r.enc([]byte{}, &c.v)
		if err != nil {
			return err
		}
		if err := f(r.key(nil, k), v); err != nil {
			return err
		}
	}
	return nil
}
