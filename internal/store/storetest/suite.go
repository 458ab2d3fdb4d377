// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/store/engine"
)

// Opener opens one and the same empty database, as often as it is called.
type Opener func() (engine.Engine, error)

// Engine runs the suite that every engine must pass. fresh makes a new empty database.
func Engine(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, Opener)
	}{
		{"rows", testRows}, {"slots", testSlots}, {"fence", testFence}, {"log", testLog}, {"snapshot", testSnapshot},
		{"lease", testLease}, {"secrets", testSecrets}, {"range", testRange}, {"again", testAgain}, {"model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, fresh(t)) })
	}
}

// Tables are the tables of state that the suite uses.
var tables = []string{"fruits", "nuts"}

// MustOpen opens a database for a test.
func MustOpen(t testing.TB, open Opener) engine.Engine {
	t.Helper()
	e, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func prepared(t testing.TB, open Opener) (engine.Engine, uint64) {
	t.Helper()
	e := MustOpen(t, open)
	if err := e.Prepare(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	return e, acquire(t, e, "me").Epoch
}

func acquire(t testing.TB, e engine.Engine, who string) engine.Lease {
	t.Helper()
	l, err := e.Acquire(t.Context(), who, who+":1", time.Minute.Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// batchAt returns an empty batch on a log of some size.
func batchAt(epoch, size uint64, entries int) *engine.Batch {
	b := &engine.Batch{
		Epoch: epoch, OldSize: size,
		Head: engine.Head{Size: size + uint64(entries), Root: bytes.Repeat([]byte{byte(size + uint64(entries))}, 32), Checkpoint: fmt.Appendf(nil, "head %d", size+uint64(entries)), LastAt: int64(size)},
	}
	for i := range entries {
		b.Entries = append(b.Entries, engine.Entry{Envelope: fmt.Appendf(nil, "entry %d", size+uint64(i)), Disclosure: fmt.Appendf(nil, "said %d", size+uint64(i))})
	}
	return b
}

func commit(t testing.TB, e engine.Engine, b *engine.Batch) {
	t.Helper()
	if err := e.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func keys(texts ...string) (list [][]byte) {
	for _, s := range texts {
		list = append(list, []byte(s))
	}
	return list
}

func fetch(t testing.TB, r engine.Reads, table string, ks ...string) []string {
	t.Helper()
	reqs := []engine.Request{{Table: table, Keys: keys(ks...)}}
	if err := r.Fetch(t.Context(), reqs); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range reqs[0].Values {
		if v == nil {
			got = append(got, "-")
		} else {
			got = append(got, string(v))
		}
	}
	return got
}

func same(t testing.TB, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func testRows(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	b := batchAt(epoch, 0, 1)
	var ks, vs []string
	for i := range 200 {
		ks, vs = append(ks, fmt.Sprintf("k%03d", i)), append(vs, fmt.Sprintf("v%d", i))
	}
	b.Rows = []engine.Rows{
		{Table: "fruits", Keys: keys(ks...), Values: keys(vs...)},
		{Table: "nuts", Keys: keys("k001", "empty", "\x00\xff"), Values: keys("nut", "", "\x00")},
	}
	commit(t, e, b)
	for _, n := range []int{0, 1, 2, 7, 8, 9, 33, 63, 64, 65, 129, 200} {
		same(t, fetch(t, e, "fruits", ks[:n]...), vs[:n])
	}
	same(t, fetch(t, e, "fruits", "k199", "none", "k000", "k199", ""), "[v199 - v0 v199 -]")
	same(t, fetch(t, e, "nuts", "k001", "empty", "\x00\xff"), []string{"nut", "", "\x00"})
	reqs := []engine.Request{{Table: "fruits", Keys: keys("k005")}, {Table: "nuts", Keys: keys("k005", "k001")}}
	if err := e.Fetch(t.Context(), reqs); err != nil {
		t.Fatal(err)
	}
	same(t, reqs[1].Values[0] == nil, true)
	same(t, string(reqs[1].Values[1]), "nut")

	b = batchAt(epoch, 1, 0)
	b.Rows = []engine.Rows{{Table: "fruits", Keys: keys("k000", "new"), Values: keys("changed", "v"), Gone: keys("k001", "never")}}
	commit(t, e, b)
	same(t, fetch(t, e, "fruits", "k000", "k001", "k002", "new"), "[changed - v2 v]")

	b = batchAt(epoch, 1, 0)
	b.Rows = []engine.Rows{
		{Table: "fruits", Keys: keys("n1", "n2", "k002"), Values: keys("1", "2", "changed"), Fresh: 2},
		{Table: engine.Slots, Keys: keys("a"), Values: [][]byte{slot(1, 0, 0, 0, 0)}, Fresh: 1},
	}
	commit(t, e, b)
	same(t, fetch(t, e, "fruits", "n1", "n2", "k002"), "[1 2 changed]")
	b = batchAt(epoch, 1, 1) // n2 and a are there, whatever the writer believes
	b.Rows = []engine.Rows{
		{Table: "fruits", Keys: keys("n3", "n2", "n1"), Values: keys("3", "two", "one"), Fresh: 2},
		{Table: engine.Slots, Keys: keys("b", "a"), Values: [][]byte{slot(2, 0, 0, 0, 0), slot(3, 0, 0, 0, 0)}, Fresh: 2},
	}
	commit(t, e, b)
	same(t, fetch(t, e, "fruits", "n1", "n2", "n3"), "[one two 3]")
	same(t, fetch(t, e, engine.Slots, "a", "b"), []string{string(slot(3, 0, 0, 0, 0)), string(slot(2, 0, 0, 0, 0))})
	var order []string
	err := e.Scan(t.Context(), "nuts", func(k, v []byte) error { order = append(order, fmt.Sprintf("%q", k)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	same(t, order, `["\x00\xff" "empty" "k001"]`)
	n := 0
	if err := e.Keys(t.Context(), "nuts", func(k []byte) error { n += len(k); return nil }); err != nil || n != 11 {
		t.Errorf("keys of %d bytes in all, %v", n, err)
	}
	stop := errors.New("stop")
	if err := e.Scan(t.Context(), "fruits", func(k, v []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("scan: %v", err)
	}
	same(t, fetch(t, e, "fruits", "k000"), "[changed]") // and the connection is good after that
	for _, name := range []string{"", "x; DROP TABLE head", "Fruits", "1a"} {
		if err := e.Prepare(t.Context(), []string{name}); err == nil {
			t.Errorf("table %q was made", name)
		}
		if err := e.Fetch(t.Context(), []engine.Request{{Table: name, Keys: keys("a")}}); err == nil {
			t.Errorf("table %q was read", name)
		}
		b := batchAt(epoch, 2, 0)
		b.Rows = []engine.Rows{{Table: name, Keys: keys("a"), Values: keys("b")}}
		if err := e.Commit(t.Context(), b); err == nil {
			t.Errorf("table %q was written", name)
		}
	}
}

func slot(allotment, taken, withheld, excess, offered int64) []byte {
	return engine.PackSlot(nil, [...]int64{allotment, taken, withheld, excess, offered, 7, 1, 1<<63 - 1})
}

// testSlots has the database itself refuse an oversell, with all that came with it.
func testSlots(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	full := slot(10, 7, 2, 0, 1)
	b := batchAt(epoch, 0, 1)
	b.Rows = []engine.Rows{{Table: engine.Slots, Keys: keys("a", "b"), Values: [][]byte{full, slot(10, 12, 0, 2, 0)}}}
	commit(t, e, b)
	same(t, fetch(t, e, engine.Slots, "a"), []string{string(full)})
	for _, bad := range [][]byte{slot(10, 8, 2, 0, 1), slot(10, 7, 3, 0, 1), slot(10, 7, 2, 0, 2), slot(9, 7, 2, 0, 1), slot(10, -1, 0, 0, 0), slot(0, 0, 1, 0, 0)} {
		b = batchAt(epoch, 1, 1)
		b.Rows = []engine.Rows{
			{Table: "fruits", Keys: keys("x"), Values: keys("y")},
			{Table: engine.Slots, Keys: keys("b", "a"), Values: [][]byte{slot(10, 1, 0, 0, 0), bad}},
		}
		if err := e.Commit(t.Context(), b); !errors.Is(err, engine.ErrCheck) {
			t.Errorf("%x: %v, want a refusal", bad, err)
		}
	}
	b = batchAt(epoch, 1, 1)
	b.Rows = []engine.Rows{{Table: engine.Slots, Keys: keys("a"), Values: [][]byte{full[1:]}}}
	if err := e.Commit(t.Context(), b); err == nil {
		t.Error("a slot of another length was written")
	}
	same(t, fetch(t, e, engine.Slots, "a", "b", "c"), []string{string(full), string(slot(10, 12, 0, 2, 0)), "-"})
	same(t, fetch(t, e, "fruits", "x"), "[-]")
	h, err := e.Head(t.Context())
	if err != nil || h.Size != 1 {
		t.Errorf("head %v, %v", h, err)
	}
}

func testFence(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	commit(t, e, batchAt(epoch, 0, 3))
	for name, b := range map[string]*engine.Batch{
		"older size": batchAt(epoch, 2, 1), "newer size": batchAt(epoch, 4, 1), "older epoch": batchAt(epoch-1, 3, 1), "newer epoch": batchAt(epoch+1, 3, 1),
	} {
		b.Rows = []engine.Rows{{Table: "fruits", Keys: keys("x"), Values: keys("y")}}
		b.Tiles = []engine.Tile{{Level: 0, Index: 9, Hashes: []byte("h")}}
		if err := e.Commit(t.Context(), b); !errors.Is(err, engine.ErrFenced) {
			t.Errorf("%s: %v, want fenced", name, err)
		}
	}
	same(t, fetch(t, e, "fruits", "x"), "[-]")
	if _, err := e.Tile(t.Context(), 0, 9); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("tile: %v", err)
	}
	commit(t, e, batchAt(epoch, 3, 1))
}

func testLog(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	h, err := e.Head(t.Context())
	if err != nil || h.Size != 0 || fmt.Sprintf("%x", h.Root)[:8] != "e3b0c442" || len(h.Checkpoint) != 0 || h.Epoch != epoch {
		t.Errorf("empty: %v, %v", h, err)
	}
	list, err := e.Entries(t.Context(), 0, 5)
	if err != nil || len(list) != 0 {
		t.Errorf("entries of an empty log: %v, %v", list, err)
	}
	b := batchAt(epoch, 0, 100)
	b.Tiles = []engine.Tile{{Level: 0, Index: 0, Hashes: []byte("a")}, {Level: 1, Index: 1 << 40, Hashes: bytes.Repeat([]byte{1}, 8192)}}
	commit(t, e, b)
	b = batchAt(epoch, 100, 1)
	b.Tiles = []engine.Tile{{Level: 0, Index: 0, Hashes: []byte("ab")}}
	commit(t, e, b)
	for _, c := range []struct {
		from  uint64
		n     int
		first string
		len   int
	}{{0, 1, "entry 0", 1}, {0, 1000, "entry 0", 101}, {99, 5, "entry 99", 2}, {100, 1, "entry 100", 1}, {101, 1, "", 0}} {
		list, err := e.Entries(t.Context(), c.from, c.n)
		if err != nil || len(list) != c.len || c.len > 0 && string(list[0].Envelope) != c.first {
			t.Errorf("entries from %d: %d, %v", c.from, len(list), err)
		}
	}
	for _, c := range []struct {
		level int
		index int64
		want  int
	}{{0, 0, 2}, {1, 1 << 40, 8192}} {
		got, err := e.Tile(t.Context(), c.level, c.index)
		if err != nil || len(got) != c.want {
			t.Errorf("tile %d/%d: %d bytes, %v", c.level, c.index, len(got), err)
		}
	}
	h, err = e.Head(t.Context())
	if err != nil || h.Size != 101 || string(h.Checkpoint) != "head 101" || h.LastAt != 100 || h.Root[0] != 101 {
		t.Errorf("head %v, %v", h, err)
	}
}

func testSnapshot(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	b := batchAt(epoch, 0, 1)
	b.Rows = []engine.Rows{{Table: "fruits", Keys: keys("a"), Values: keys("1")}}
	commit(t, e, b)
	snap, err := e.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, fetch(t, snap, "fruits", "a", "b"), "[1 -]")
	b = batchAt(epoch, 1, 1)
	b.Rows = []engine.Rows{{Table: "fruits", Keys: keys("a", "b"), Values: keys("2", "2")}}
	b.Tiles = []engine.Tile{{Level: 0, Index: 0, Hashes: []byte("t")}}
	commit(t, e, b)
	same(t, fetch(t, snap, "fruits", "a", "b"), "[1 -]")
	h, err := snap.Head(t.Context())
	same(t, fmt.Sprint(h.Size, err), "1 <nil>")
	list, err := snap.Entries(t.Context(), 0, 9)
	same(t, fmt.Sprint(len(list), err), "1 <nil>")
	if _, err := snap.Tile(t.Context(), 0, 0); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("tile: %v", err)
	}
	n := 0
	err = snap.Scan(t.Context(), "fruits", func(k, v []byte) error { n++; return nil })
	same(t, fmt.Sprint(n, err), "1 <nil>")
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, fetch(t, e, "fruits", "a", "b"), "[2 2]")
	// Many snapshots one after another, and some at once, give their connections back.
	for range 40 {
		var open []engine.Snapshot
		for range 3 {
			s, err := e.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, fetch(t, s, "fruits", "b"), "[2]")
			open = append(open, s)
		}
		for _, s := range open {
			s.Close()
		}
	}
}

func testLease(t *testing.T, open Opener) {
	a, epoch := prepared(t, open)
	b := MustOpen(t, open)
	if l := acquire(t, b, "other"); l.Owner != "me" || l.Address != "me:1" || l.Epoch != epoch || !l.Live {
		t.Errorf("while another holds it: %+v", l)
	}
	if err := b.Renew(t.Context(), "other", epoch, 1000); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("renew what is not ours: %v", err)
	}
	if err := a.Renew(t.Context(), "me", epoch, 60_000); err != nil {
		t.Errorf("renew: %v", err)
	}
	if err := a.Release(t.Context(), "me", epoch); err != nil {
		t.Fatal(err)
	}
	l := acquire(t, b, "other")
	if l.Owner != "other" || l.Epoch != epoch+1 || !l.Live {
		t.Errorf("after it was let go: %+v", l)
	}
	if err := a.Commit(t.Context(), batchAt(epoch, 0, 1)); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("the old owner commits: %v", err)
	}
	if err := a.Renew(t.Context(), "me", epoch, 1000); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("the old owner renews: %v", err)
	}
	commit(t, b, batchAt(l.Epoch, 0, 1))
	// The owner itself may take it anew, and fences off what it had begun.
	l = acquire(t, b, "other")
	if l.Epoch != epoch+2 {
		t.Errorf("taken anew: %+v", l)
	}
	if err := b.Commit(t.Context(), batchAt(epoch+1, 1, 1)); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("a batch of the lease before: %v", err)
	}
}

func testSecrets(t *testing.T, open Opener) {
	a, _ := prepared(t, open)
	b := MustOpen(t, open)
	for _, c := range []struct {
		e                 engine.Engine
		name, fresh, want string
	}{{a, "x", "1", "1"}, {a, "x", "2", "1"}, {b, "x", "3", "1"}, {b, "y", "4", "4"}} {
		got, err := c.e.Secret(t.Context(), c.name, []byte(c.fresh))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func testRange(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	b := batchAt(epoch, 0, 1)
	var ks []string
	for i := range 10 {
		ks = append(ks, fmt.Sprintf("k%d", i))
	}
	b.Rows = []engine.Rows{{Table: "nuts", Keys: keys(ks...), Values: keys(ks...)}}
	commit(t, e, b)
	snap, err := e.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for _, r := range []engine.Reads{e, snap} {
		for _, c := range []struct {
			from, to string
			n        int
			want     string
		}{{"\x00", "k0", 9, "[]"}, {"\x00", "k2", 9, "[k0 k1]"}, {"k2", "k5", 9, "[k2 k3 k4]"}, {"k2", "k5", 2, "[k2 k3]"}, {"k2\x00", "\xff", 3, "[k3 k4 k5]"}, {"k5", "k5", 9, "[]"}, {"k8", "l", 9, "[k8 k9]"}} {
			var got []string
			err := r.Range(t.Context(), "nuts", []byte(c.from), []byte(c.to), c.n, func(k, v []byte) error {
				if string(k) != string(v) {
					t.Errorf("%q holds %q", k, v)
				}
				got = append(got, string(k))
				return nil
			})
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("%q to %q, %d: %v, %v; want %s", c.from, c.to, c.n, got, err, c.want)
			}
		}
		if err := r.Range(t.Context(), "nuts;", []byte("a"), []byte("b"), 1, nil); err == nil {
			t.Error("a table of another name was read")
		}
	}
	stop := errors.New("stop")
	if err := e.Range(t.Context(), "nuts", []byte("a"), []byte("z"), 9, func(k, v []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("range: %v", err)
	}
	same(t, fetch(t, e, "nuts", "k4"), "[k4]") // and the connection is good after that
}

// testAgain opens a database a second time, as a server that starts again does.
func testAgain(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	b := batchAt(epoch, 0, 2)
	b.Rows = []engine.Rows{{Table: "nuts", Keys: keys("a"), Values: keys("b")}}
	commit(t, e, b)
	e.Release(t.Context(), "me", epoch)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, epoch = prepared(t, open)
	same(t, fetch(t, e, "nuts", "a"), "[b]")
	commit(t, e, batchAt(epoch, 2, 1))
}

// testModel writes random batches and compares with a map.
func testModel(t *testing.T, open Opener) {
	e, epoch := prepared(t, open)
	model := map[string]map[string]string{"fruits": {}, "nuts": {}}
	size := uint64(0)
	text := rapid.StringMatching(`[a-e]{0,3}`)
	rapid.Check(t, func(r *rapid.T) {
		ctx := context.Background()
		for range rapid.IntRange(1, 5).Draw(r, "batches") {
			b := batchAt(epoch, size, rapid.IntRange(0, 40).Draw(r, "entries"))
			next := map[string]map[string]string{}
			for _, table := range tables {
				rows := engine.Rows{Table: table}
				next[table] = map[string]string{}
				for k, v := range model[table] {
					next[table][k] = v
				}
				puts := rapid.MapOfN(text, rapid.String(), 0, 50).Draw(r, "puts")
				for k, v := range puts {
					rows.Keys, rows.Values = append(rows.Keys, []byte(k)), append(rows.Values, []byte(v))
				}
				for _, k := range rapid.SliceOfNDistinct(text, 0, 10, rapid.ID).Draw(r, "gone") {
					if _, put := puts[k]; !put {
						rows.Gone = append(rows.Gone, []byte(k))
						delete(next[table], k)
					}
				}
				for k, v := range puts {
					next[table][k] = v
				}
				b.Rows = append(b.Rows, rows)
			}
			fenced := rapid.IntRange(0, 4).Draw(r, "fenced") == 0
			if fenced {
				b.Epoch++
			}
			err := e.Commit(ctx, b)
			if fenced != errors.Is(err, engine.ErrFenced) || !fenced && err != nil {
				r.Fatal(err)
			}
			if !fenced {
				model, size = next, b.Head.Size
			}
		}
		for _, table := range tables {
			got := map[string]string{}
			last := ""
			err := e.Scan(ctx, table, func(k, v []byte) error {
				if len(got) > 0 && string(k) <= last {
					r.Errorf("%s: %q after %q", table, k, last)
				}
				got[string(k)], last = string(v), string(k)
				return nil
			})
			if err != nil {
				r.Fatal(err)
			}
			if fmt.Sprint(sorted(got)) != fmt.Sprint(sorted(model[table])) {
				r.Fatalf("%s: got %v, want %v", table, sorted(got), sorted(model[table]))
			}
		}
	})
}

func sorted(m map[string]string) (list []string) {
	for k, v := range m {
		list = append(list, fmt.Sprintf("%q=%q", k, v))
	}
	sort.Strings(list)
	return list
}
