// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// writing is a log in memory that shows itself as a source, as its writer would serve it.
type writing struct {
	signer  *record.Signer
	log     *record.Verifier
	codec   *fact.Codec
	tree    record.Tree
	entries []engine.Entry
	tiles   map[record.TileID][]byte
	facts   []fact.Fact
	heads   [][]byte // every head ever signed
}

func newWriting(t testing.TB, name string, seed uint64) *writing {
	t.Helper()
	var b [32]byte
	for i := range b {
		b[i] = byte(seed >> (8 * (i % 8)))
	}
	s := must(record.GenerateSigner(name, bytes.NewReader(b[:])))
	return &writing{signer: s, log: must(record.NewVerifier(s.Verifier())), codec: service.NewCodec(), tiles: map[record.TileID][]byte{}}
}

// opened is the fact of the nth slot, its allotment for the other side and the rest for
// nobody else.
func openedFact(n int) *booking.Opened {
	return &booking.Opened{Slot: booking.SlotID(n), Allotment: uint32(n%50 + 1)}
}

// add appends facts and signs a head.
func (w *writing) add(facts ...fact.Fact) {
	var envelopes [][]byte
	for _, f := range facts {
		body := must(w.codec.Encode(f))
		salt := [16]byte{byte(len(w.entries)), byte(len(w.entries) >> 8)}
		var ds []record.Disclosure
		for _, p := range record.Split(body, &record.Share{To: record.OtherSide | record.Auditors}) {
			ds = append(ds, record.Disclosure{Group: p.Group, Salt: salt, Body: p.Body})
		}
		secret := record.Disclosure{Group: "own", Salt: salt, Body: []byte("nobody else's")}
		e := must(record.NewEntry(f.FactKind(), noon.Add(time.Duration(len(w.entries))*time.Second), append(ds, secret)...))
		var stored []byte
		for _, d := range append(ds, secret) {
			stored = append(stored, d.Bytes()...)
		}
		w.entries = append(w.entries, engine.Entry{Envelope: e.Bytes(), Disclosure: stored})
		envelopes = append(envelopes, e.Bytes())
		w.facts = append(w.facts, f)
	}
	for _, t := range must(w.tree.Append(envelopes)) {
		id := t.TileID
		id.Width = 0
		w.tiles[id] = bytes.Clone(t.Bytes)
	}
	w.heads = append(w.heads, must(w.signer.Sign(w.head())))
}

func (w *writing) head() record.Checkpoint {
	return record.Checkpoint{Origin: w.signer.Name(), Size: w.tree.Size(), Root: w.tree.Root()}
}

// open appends n facts of slots.
func (w *writing) open(n int) {
	var fs []fact.Fact
	for i := range n {
		fs = append(fs, openedFact(len(w.entries)+i+1))
	}
	w.add(fs...)
}

// fork returns a log that is the same up to n entries and goes on by itself.
func (w *writing) fork(t testing.TB, n int) *writing {
	f := &writing{signer: w.signer, log: w.log, codec: w.codec, tiles: map[record.TileID][]byte{}, heads: w.heads}
	for i := range n {
		f.add(w.facts[i])
	}
	f.heads = f.heads[:len(w.heads)]
	return f
}

func (w *writing) Get(_ context.Context, path string, limit int64) ([]byte, error) {
	if path == "checkpoint" {
		if len(w.entries) == 0 {
			return nil, problem.New(problem.NotFound, "record.empty")
		}
		return must(w.signer.Sign(w.head())), nil
	}
	disclosed := false
	if rest, ok := bytes.CutPrefix([]byte(path), []byte("disclosures/")); ok {
		disclosed, path = true, "tile/entries/"+string(rest)
	}
	id, err := record.ParseTilePath(path)
	if err != nil {
		return nil, err
	}
	if id.Level != record.Entries {
		b, ok := w.tiles[record.TileID{Level: id.Level, Index: id.Index}]
		if !ok || len(b) < id.Width*record.HashSize {
			return nil, problem.New(problem.NotFound, "record.tile")
		}
		return b[:id.Width*record.HashSize], nil
	}
	from := int(id.Index) * record.TileWidth
	if from+id.Width > len(w.entries) {
		return nil, problem.New(problem.NotFound, "record.tile")
	}
	var b []byte
	for _, e := range w.entries[from : from+id.Width] {
		if disclosed {
			b = must(record.AppendDisclosed(b, e.Disclosure, record.OtherSide))
		} else {
			b = record.AppendBundle(b, e.Envelope)
		}
	}
	return b, nil
}

// altered is a source that changes what it shows.
type altered struct {
	Source
	change func(path string, b []byte) ([]byte, error)
}

func (a altered) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	b, err := a.Source.Get(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	return a.change(path, bytes.Clone(b))
}

func newStore(t testing.TB) *store.Store {
	t.Helper()
	st := must(store.Open(context.Background(), filepath.Join(t.TempDir(), "post.db")))
	t.Cleanup(func() { st.Close() })
	return st
}

func cosignerKey(name string) (*record.Signer, *record.Verifier) {
	s := must(record.GenerateCosigner(name, bytes.NewReader(bytes.Repeat([]byte{9}, 32))))
	return s, must(record.NewVerifier(s.Verifier()))
}

// follower opens a mirror of w.
func (w *writing) follower(st *store.Store) *Follower {
	s, _ := cosignerKey("darwaza.dev/test/B/mirror")
	return &Follower{Mirror: must(st.OpenMirror(context.Background(), w.signer.Name())), Log: w.log, Cosigner: s, Clock: func() time.Time { return noon }, Live: true}
}

// whole wants a mirror to hold all of a log, disclosed, applied and cosigned.
func (w *writing) whole(t testing.TB, st *store.Store, m *store.Mirror) {
	t.Helper()
	w.stored(t, m)
	ctx := context.Background()
	if _, err := m.Apply(ctx); err != nil {
		t.Fatal(err)
	}
	if at := m.At(); at.Applied != at.Size {
		t.Fatalf("%d of %d entries applied", at.Applied, at.Size)
	}
	err := st.ViewMirror(ctx, w.signer.Name(), func(s service.State) error {
		for i := range w.facts {
			f := w.facts[i].(*booking.Opened)
			if got, ok := s.Booking.Slots.Get(f.Slot); !ok || got.Allotment != f.Allotment {
				return fmt.Errorf("slot %d: %+v", f.Slot, got)
			}
		}
		return nil
	})
	if err != nil && len(w.entries) > 0 {
		t.Fatal(err)
	}
}

// stored wants a mirror to hold all of a log, disclosed and cosigned.
func (w *writing) stored(t testing.TB, m *store.Mirror) {
	t.Helper()
	ctx := context.Background()
	at := m.At()
	root := w.tree.Root()
	if at.Size != uint64(len(w.entries)) || !bytes.Equal(at.Root, root[:]) || len(at.Pending) > 0 {
		t.Fatalf("the mirror has %d of %d entries", at.Size, len(w.entries))
	}
	_, v := cosignerKey("darwaza.dev/test/B/mirror")
	h, err := record.OpenHead(at.Checkpoint, w.log, v)
	if err != nil || h.Size != at.Size || h.Root != root || len(h.Cosignatures) != 1 {
		t.Fatalf("the head that is kept: %+v, %v", h, err)
	}
	for from := uint64(0); from < at.Size; from += 500 {
		for i, e := range must(m.Entries(ctx, from, 500)) {
			want := w.entries[from+uint64(i)]
			if !bytes.Equal(e.Envelope, want.Envelope) || !bytes.Equal(e.Disclosure, must(record.Filter(want.Disclosure, record.OtherSide))) || len(e.Disclosure) == 0 {
				t.Fatalf("entry %d is not the log's", from+uint64(i))
			}
		}
	}
}

// TestFollow catches up, keeps up, and does nothing twice.
func TestFollow(t *testing.T) {
	ctx := context.Background()
	st := newStore(t)
	w := newWriting(t, "darwaza.dev/test/A", 1)
	if _, err := w.follower(st).Follow(ctx, w); problem.KindOf(err) != problem.NotFound {
		t.Errorf("an empty log: %v", err)
	}
	for i, n := range []int{1, 254, 1, 1, 300, 5000, 0, 256} {
		w.open(n)
		f := w.follower(st)
		stored, err := f.Follow(ctx, w)
		if err != nil || stored != uint64(n) {
			t.Fatalf("round %d: %d stored, %v", i, stored, err)
		}
		w.whole(t, st, f.Mirror)
		note := f.Mirror.At().Checkpoint
		f.Clock = func() time.Time { return noon.Add(time.Hour) }
		if stored, err := f.Follow(ctx, w); err != nil || stored != 0 || !bytes.Equal(f.Mirror.At().Checkpoint, note) {
			t.Fatalf("round %d again: %d stored, %v", i, stored, err)
		}
	}
	// Two mirrors in one database keep apart.
	other := newWriting(t, "darwaza.dev/other/A", 2)
	other.open(700)
	f := other.follower(st)
	must(f.Follow(ctx, other))
	other.whole(t, st, f.Mirror)
	w.whole(t, st, w.follower(st).Mirror)
}

// TestFollowCrashes stops at each thing that is written, opens the mirror anew and goes on.
func TestFollowCrashes(t *testing.T) {
	ctx := context.Background()
	stopped := map[string]int{}
	for at := 1; ; at++ {
		st := newStore(t)
		w := newWriting(t, "darwaza.dev/test/A", 1)
		w.open(300)
		must(w.follower(st).Follow(ctx, w))
		w.open(9000)
		f, n, crash := w.follower(st), 0, errors.New("stopped")
		f.Step = func(what string) error {
			if n++; n == at {
				stopped[what]++
				return crash
			}
			return nil
		}
		_, err := f.Follow(ctx, w)
		if err != nil && !errors.Is(err, crash) {
			t.Fatal(err)
		}
		again := w.follower(st)
		if _, err := again.Follow(ctx, w); err != nil {
			t.Fatal(err)
		}
		w.whole(t, st, again.Mirror)
		if n < at {
			break
		}
	}
	if stopped["store"] < 3 || stopped["stored"] < 3 {
		t.Errorf("stopped at %v", stopped)
	}
}

// TestFollowRefuses shows a mirror what is not the log's: nothing of it is stored.
func TestFollowRefuses(t *testing.T) {
	ctx := context.Background()
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[len(b)/at] ^= 1; return b }
	}
	on := func(prefix string, f func(b []byte) []byte) func(string, []byte) ([]byte, error) {
		return func(path string, b []byte) ([]byte, error) {
			if bytes.HasPrefix([]byte(path), []byte(prefix)) {
				b = f(b)
			}
			return b, nil
		}
	}
	stranger := newWriting(t, "darwaza.dev/test/A", 99)
	stranger.open(2000)
	for name, change := range map[string]func(string, []byte) ([]byte, error){
		"an altered entry":        on("tile/entries/", flip(2)),
		"an altered tile":         on("tile/1/", flip(2)),
		"an altered disclosure":   on("disclosures/", flip(3)),
		"no disclosures":          on("disclosures/", func(b []byte) []byte { return make([]byte, 4*256) }),
		"an endless bundle":       on("tile/entries/", func(b []byte) []byte { return append(b, b...) }),
		"an endless tile":         on("tile/1/", func(b []byte) []byte { return append(b, b...) }),
		"endless disclosures":     on("disclosures/", func(b []byte) []byte { return append(b, 0, 0, 0, 0) }),
		"an entry of great size":  on("tile/entries/", func(b []byte) []byte { b[0], b[1] = 0xff, 0xff; return b }),
		"another's key":           on("checkpoint", func([]byte) []byte { return must(stranger.Get(ctx, "checkpoint", 0)) }),
		"an altered head":         on("checkpoint", flip(3)),
		"a head of great length":  on("checkpoint", func(b []byte) []byte { return append(b, bytes.Repeat([]byte("— x y\n"), 9000)...) }),
		"bundles in wrong places": func(path string, b []byte) ([]byte, error) { return b, nil },
	} {
		st := newStore(t)
		w := newWriting(t, "darwaza.dev/test/A", 1)
		w.open(700)
		must(w.follower(st).Follow(ctx, w))
		w.open(1300)
		var src Source = altered{w, change}
		if name == "bundles in wrong places" {
			src = swapped{w}
		}
		f := w.follower(st)
		stored, err := f.Follow(ctx, src)
		if kind := problem.KindOf(err); kind != problem.Untrusted || stored != 0 || f.Mirror.At().Size != 700 {
			t.Errorf("%s: %d stored, %v", name, stored, err)
		}
		if f.Mirror.At().Halted != "" {
			t.Errorf("%s: the mirror is halted", name)
		}
		// What was refused is no hindrance to what is right.
		must(f.Follow(ctx, w))
		w.whole(t, st, f.Mirror)
	}
}

// swapped shows two bundles in each other's places, with their disclosures.
type swapped struct{ Source }

func (s swapped) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	switch path {
	case "tile/entries/003":
		path = "tile/entries/004"
	case "tile/entries/004":
		path = "tile/entries/003"
	case "disclosures/003":
		path = "disclosures/004"
	case "disclosures/004":
		path = "disclosures/003"
	}
	return s.Source.Get(ctx, path, limit)
}

// TestFollowForks shows a mirror logs that contradict what was signed before: the evidence
// is kept, it convinces whoever has the log's key, and nothing more is taken until a person
// says so.
func TestFollowForks(t *testing.T) {
	ctx := context.Background()
	for name, x := range map[string]struct {
		first, common, then int
		code                string
	}{
		"rewritten and longer":   {700, 500, 900, "exchange.fork"},
		"rewritten, equal size":  {700, 500, 200, "exchange.fork"},
		"rewritten and shorter":  {700, 300, 100, "exchange.fork"},
		"another from the start": {700, 0, 900, "exchange.fork"},
		"restored, older":        {700, 400, 0, "exchange.behind"},
	} {
		st := newStore(t)
		w := newWriting(t, "darwaza.dev/test/A", 1)
		w.open(x.first)
		must(w.follower(st).Follow(ctx, w))
		liar := w.fork(t, x.common)
		for i := range x.then {
			liar.add(openedFact(1_000_000 + i))
		}
		var kept []record.Fork
		f := w.follower(st)
		f.Keep = func(e record.Fork) error { kept = append(kept, e); return nil }
		if _, err := f.Follow(ctx, liar); problem.CodeOf(err) != x.code {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if x.code == "exchange.behind" {
			if len(kept) > 0 || f.Mirror.At().Halted != "" {
				t.Errorf("%s: %d pieces of evidence, halted %q", name, len(kept), f.Mirror.At().Halted)
			}
			w.open(1)
			must(f.Follow(ctx, w))
			w.whole(t, st, f.Mirror)
			continue
		}
		if len(kept) != 1 || f.Mirror.At().Halted != haltFork {
			t.Errorf("%s: %d pieces of evidence, halted %q", name, len(kept), f.Mirror.At().Halted)
			continue
		}
		text := kept[0].Text()
		a, b, err := record.OpenFork(text, w.log)
		if err != nil || a.Size > b.Size {
			t.Errorf("%s: the evidence: %v", name, err)
		}
		stranger := newWriting(t, "darwaza.dev/test/A", 5)
		if _, _, err := record.OpenFork(text, stranger.log); err == nil {
			t.Errorf("%s: the evidence convinces with another key", name)
		}
		// Even what is right is not taken now, also after a restart.
		w.open(10)
		f = w.follower(st)
		if n, err := f.Follow(ctx, w); problem.KindOf(err) != problem.Forbidden || n != 0 {
			t.Errorf("%s: a halted mirror took %d: %v", name, n, err)
		}
		must(0, f.Mirror.Halt(ctx, ""))
		must(f.Follow(ctx, w))
		w.whole(t, st, f.Mirror)
	}
	// An honest log that grows is no evidence.
	w := newWriting(t, "darwaza.dev/test/A", 1)
	w.open(300)
	old := must(record.OpenHead(w.heads[0], w.log))
	w.open(300)
	ev := must(record.ProveFork(old, must(record.OpenHead(w.heads[1], w.log)), &sourceTiles{ctx: ctx, src: w, seen: map[record.TileID][]byte{}}))
	if _, _, err := record.OpenFork(ev.Text(), w.log); problem.KindOf(err) != problem.Untrusted {
		t.Errorf("growth is taken for a fork: %v", err)
	}
}

// TestFollowForkWhileCatchingUp is told another story halfway through the first.
func TestFollowForkWhileCatchingUp(t *testing.T) {
	ctx := context.Background()
	st := newStore(t)
	w := newWriting(t, "darwaza.dev/test/A", 1)
	w.open(9000)
	f, n := w.follower(st), 0
	f.Step = func(what string) error {
		if n++; n == 3 {
			return errors.New("stopped")
		}
		return nil
	}
	f.Follow(ctx, w)
	if at := f.Mirror.At(); at.Size == 0 || at.Size == 9000 || len(at.Pending) == 0 {
		t.Fatalf("the mirror has %d entries", at.Size)
	}
	liar := w.fork(t, 100)
	for i := range 9500 {
		liar.add(openedFact(1_000_000 + i))
	}
	kept := 0
	f = w.follower(st)
	f.Keep = func(e record.Fork) error {
		if _, _, err := record.OpenFork(e.Text(), w.log); err == nil {
			kept++
		}
		return nil
	}
	if _, err := f.Follow(ctx, liar); problem.KindOf(err) != problem.Conflict {
		t.Errorf("got %v", err)
	}
	if kept != 1 || f.Mirror.At().Halted != haltFork {
		t.Errorf("%d pieces of evidence, halted %q", kept, f.Mirror.At().Halted)
	}
}
