// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
	"darwaza.dev/internal/store/postgres"
	"darwaza.dev/internal/store/sqlite"
	"darwaza.dev/internal/store/storetest"
)

// A sale is the smallest command that sells: it knows no law but an allotment.
type sale struct {
	Ref       booking.Ref    `cbor:"1,keyasint"`
	Slot      booking.SlotID `cbor:"2,keyasint"`
	Allotment uint32         `cbor:"3,keyasint"`
	Then      string         `cbor:"4,keyasint"` // what goes wrong after the sale was recorded
}

type sold struct {
	Ref  booking.Ref `cbor:"1,keyasint"`
	Full bool        `cbor:"2,keyasint"`
}

var errDesk = problem.New(problem.Conflict, "test.desk")

func (sale) CommandKind() string { return "test.sale" }

func (s sale) Keys(k *service.Keys) {
	k.Slots = append(k.Slots, s.Slot)
	k.Bookings = append(k.Bookings, s.Ref)
}

func (s sale) Run(tx *service.Tx) (any, error) {
	slot, ok := tx.Booking.Slots.Get(s.Slot)
	if !ok {
		tx.Record(&booking.Opened{Slot: s.Slot, Allotment: s.Allotment})
		slot, _ = tx.Booking.Slots.Get(s.Slot)
	}
	if slot.Free() == 0 && s.Then != "oversell" {
		return sold{Full: true}, nil
	}
	var m booking.Member
	copy(m.Pass[:], s.Ref)
	copy(m.Tag[:], s.Ref)
	m.Place, m.Document = slot.NextPlace, "cnic"
	tx.Record(&booking.Made{Ref: s.Ref, Slot: s.Slot, Members: []booking.Member{m}})
	tx.Sealed.Put(string(s.Ref), []byte(s.Ref))
	switch s.Then {
	case "panic":
		panic("on purpose")
	case "problem":
		return nil, errDesk
	case "error":
		return nil, errors.New("plain")
	case "unencodable":
		return make(chan int), nil
	}
	return sold{Ref: s.Ref}, nil
}

var counter atomic.Uint64

func newRef() booking.Ref { return booking.Ref(fmt.Sprintf("%012d", counter.Add(1))) }

func newKey() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], counter.Add(1))
	return fmt.Sprintf("%x%x", "key-", b)
}

// A rig is a database that can be opened again and again, and a signing key.
type rig struct {
	open   storetest.Opener
	signer *record.Signer
	head   string
}

// engines are the databases that every test here runs on.
func engines(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log.db")
		f(t, newRig(t, func() (engine.Engine, error) { return sqlite.Open(context.Background(), path) }))
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.Postgres(t)
		f(t, newRig(t, func() (engine.Engine, error) { return postgres.Open(context.Background(), url) }))
	})
}

func newRig(t testing.TB, open storetest.Opener) *rig {
	t.Helper()
	signer, err := record.GenerateSigner("a.example/test", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{open: open, signer: signer, head: filepath.Join(t.TempDir(), "head")}
}

// A server is one process of ours, as far as the log is concerned.
type server struct {
	*sequencer.Sequencer
	store *store.Store
	fault *storetest.Faulty
}

func (r *rig) start(t testing.TB, change ...func(*sequencer.Config)) *server {
	t.Helper()
	s, err := r.try(t, change...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *rig) try(t testing.TB, change ...func(*sequencer.Config)) (*server, error) {
	t.Helper()
	eng, err := r.open()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{fault: storetest.NewFaulty(eng)}
	if s.store, err = store.New(t.Context(), s.fault); err != nil {
		t.Fatal(err)
	}
	c := sequencer.Config{
		Store: s.store, Side: agreement.A, Law: func() *service.Law { return nil }, Clock: time.Now,
		Signer: r.signer, HeadFile: r.head, TTL: time.Second,
	}
	for _, f := range change {
		f(&c)
	}
	s.Sequencer, err = sequencer.New(t.Context(), c)
	t.Cleanup(func() { s.stop() })
	return s, err
}

func (s *server) stop() {
	if s.Sequencer != nil {
		s.Sequencer.Close()
	}
	s.store.Close()
}

// verify goes through the whole record, and returns its size.
func (r *rig) verify(t testing.TB, s *server) store.Report {
	t.Helper()
	v, err := record.NewVerifier(r.signer.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	rep, err := s.store.Verify(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func (s *server) sell(t testing.TB, c sale) (sold, service.Done, error) {
	t.Helper()
	d, err := s.Do(t.Context(), service.Idem{Key: newKey(), Actor: "public"}, c)
	var a sold
	if err == nil {
		if err := s.store.Codec().Unmarshal(d.Answer, &a); err != nil {
			t.Fatal(err)
		}
	}
	return a, d, err
}

func (s *server) slot(t testing.TB, id booking.SlotID) (slot booking.Slot) {
	t.Helper()
	err := s.store.View(t.Context(), func(st service.State) error {
		slot, _ = st.Booking.Slots.Get(id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slot
}

const hot = booking.SlotID(1<<40 | 9)

func TestSell(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		ref := newRef()
		a, d, err := s.sell(t, sale{Ref: ref, Slot: hot, Allotment: 2})
		if err != nil || a.Ref != ref || d.First != 0 || d.Count != 2 || d.Again {
			t.Fatal(a, d, err)
		}
		a, d, err = s.sell(t, sale{Ref: newRef(), Slot: hot})
		if err != nil || a.Full || d.First != 2 || d.Count != 1 {
			t.Fatal(a, d, err)
		}
		a, d, err = s.sell(t, sale{Ref: newRef(), Slot: hot})
		if err != nil || !a.Full || d.Count != 0 {
			t.Fatal(a, d, err)
		}
		if got := s.slot(t, hot); got.ID != hot || got.Taken != 2 || got.Allotment != 2 {
			t.Errorf("slot %+v", got)
		}
		err = s.store.View(t.Context(), func(st service.State) error {
			b, ok := st.Booking.Bookings.Get(ref)
			sealed, ok2 := st.Sealed.Get(string(ref))
			if !ok || b.Status != booking.Booked || !ok2 || string(sealed) != string(ref) {
				t.Errorf("booking %+v, sealed %q", b, sealed)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if rep := r.verify(t, s); rep.Entries != 3 || rep.Rows < 8 {
			t.Errorf("%+v", rep)
		}
	})
}

// TestFailures has commands go wrong in every way; each has failed alone.
func TestFailures(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: 3}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			then string
			kind problem.Kind
			code string
		}{
			{"panic", problem.Internal, "command.panic"}, {"problem", problem.Conflict, "test.desk"},
			{"error", problem.Internal, "command.failed"}, {"unencodable", problem.Internal, "command.failed"},
		} {
			_, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Then: c.then})
			if err == nil || problem.KindOf(err) != c.kind || problem.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want %s %s", c.then, err, c.kind, c.code)
			}
		}
		for range 2 {
			if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot}); err != nil {
				t.Fatal(err)
			}
		}
		// A desk that forgets to look is stopped before the database has to.
		_, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Then: "oversell"})
		if problem.CodeOf(err) != "slot.oversold" {
			t.Errorf("oversell: %v", err)
		}
		for _, id := range []service.Idem{{Key: "short", Actor: "a"}, {Key: newKey() + newKey() + newKey() + newKey() + "x", Actor: "a"}} {
			if _, err := s.Do(t.Context(), id, sale{}); problem.KindOf(err) != problem.Invalid {
				t.Errorf("key %q: %v", id.Key, err)
			}
		}
		if got := s.slot(t, hot); got.Taken != 3 {
			t.Errorf("taken %d", got.Taken)
		}
		if rep := r.verify(t, s); rep.Entries != 4 {
			t.Errorf("%d entries", rep.Entries)
		}
	})
}

func TestIdempotency(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		id := service.Idem{Key: newKey(), Actor: "public"}
		c := sale{Ref: newRef(), Slot: hot, Allotment: 10}
		first, err := s.Do(t.Context(), id, c)
		if err != nil {
			t.Fatal(err)
		}
		check := func(s *server) {
			t.Helper()
			again, err := s.Do(t.Context(), id, c)
			if err != nil || !again.Again || string(again.Answer) != string(first.Answer) || again.First != first.First || again.Count != first.Count {
				t.Errorf("again: %+v, %v; want %+v", again, err, first)
			}
			other := c
			other.Ref = newRef()
			if _, err := s.Do(t.Context(), id, other); problem.KindOf(err) != problem.Conflict {
				t.Errorf("another command: %v", err)
			}
		}
		check(s)
		// The same key of another actor is another act.
		if d, err := s.Do(t.Context(), service.Idem{Key: id.Key, Actor: "o-1"}, sale{Ref: newRef(), Slot: hot}); err != nil || d.Again {
			t.Errorf("another actor: %+v, %v", d, err)
		}
		// A problem is not kept.
		id2 := service.Idem{Key: newKey(), Actor: "public"}
		for range 2 {
			if _, err := s.Do(t.Context(), id2, sale{Ref: "x", Slot: hot, Then: "problem"}); !errors.Is(err, errDesk) {
				t.Errorf("a problem: %v", err)
			}
		}
		// Many at once, some of them in one batch, act once.
		id3 := service.Idem{Key: newKey(), Actor: "public"}
		c3 := sale{Ref: newRef(), Slot: hot}
		var wg sync.WaitGroup
		var fresh atomic.Int32
		for range 40 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				d, err := s.Do(context.Background(), id3, c3)
				if err != nil {
					t.Error(err)
				} else if !d.Again {
					fresh.Add(1)
				}
			}()
		}
		wg.Wait()
		if fresh.Load() != 1 {
			t.Errorf("%d of 40 at once were not told that it was done before", fresh.Load())
		}
		if got := s.slot(t, hot); got.Taken != 3 {
			t.Errorf("taken %d, want 3", got.Taken)
		}
		s.stop()
		s = r.start(t)
		check(s) // after a restart
		r.verify(t, s)
	})
}

// TestRush sells a slot of 500 places to 2,000 who want it at once.
func TestRush(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		const want, places = 2000, 500
		var wg sync.WaitGroup
		var got, full atomic.Int32
		for range want {
			wg.Add(1)
			go func() {
				defer wg.Done()
				a, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: places})
				switch {
				case err != nil:
					t.Error(err)
				case a.Full:
					full.Add(1)
				default:
					got.Add(1)
				}
			}()
		}
		wg.Wait()
		if got.Load() != places || full.Load() != want-places {
			t.Errorf("%d got a place and %d did not", got.Load(), full.Load())
		}
		if rep := r.verify(t, s); rep.Entries != places+1 {
			t.Errorf("%d entries", rep.Entries)
		}
		if n := s.fault.Commits(); n > want/4 {
			t.Errorf("%d commits for %d commands", n, want)
		}
	})
}

// TestFaults has commits fail, unwritten and unanswered, in the middle of a rush.
func TestFaults(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: 100}); err != nil {
			t.Fatal(err)
		}
		for _, fates := range [][]storetest.Fate{
			{storetest.Lost}, {storetest.Mute}, {storetest.Lost, storetest.Lost, storetest.Mute}, {storetest.Fine, storetest.Mute, storetest.Mute, storetest.Lost},
		} {
			s.fault.Next(fates...)
			var wg sync.WaitGroup
			for range 20 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					if a, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot}); err != nil || a.Full {
						t.Errorf("%v: %+v, %v", fates, a, err)
					}
				}()
			}
			wg.Wait()
		}
		if got := s.slot(t, hot); got.Taken != 81 {
			t.Errorf("taken %d, want 81: an act was lost or done twice", got.Taken)
		}
		if rep := r.verify(t, s); rep.Entries != 82 {
			t.Errorf("%d entries, want 82", rep.Entries)
		}
		// An act of the server itself, which has no key, is told what became of it.
		for _, c := range []struct {
			fate storetest.Fate
			want uint32
		}{{storetest.Lost, 82}, {storetest.Mute, 83}} {
			s.fault.Next(c.fate)
			_, err := s.Do(t.Context(), service.Idem{}, sale{Ref: newRef(), Slot: hot})
			if err != nil {
				t.Errorf("no key: %v", err)
			}
			if got := s.slot(t, hot); got.Taken != c.want {
				t.Errorf("taken %d, want %d", got.Taken, c.want)
			}
		}
		s.fault.FailReads(3)
		if a, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot}); err != nil || a.Full {
			t.Errorf("with failing reads: %+v, %v", a, err)
		}
		s.fault.FailReads(0)
		r.verify(t, s)
	})
}

// TestRestoredCopy refuses to sign over an older copy of the database.
func TestRestoredCopy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log.db")
	r := newRig(t, func() (engine.Engine, error) { return sqlite.Open(context.Background(), path) })
	s := r.start(t)
	for range 3 {
		if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: 10}); err != nil {
			t.Fatal(err)
		}
	}
	backup := filepath.Join(dir, "backup.db")
	if err := s.store.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot}); err != nil {
		t.Fatal(err)
	}
	s.stop()
	newest := path
	path = backup
	if _, err := r.try(t); problem.CodeOf(err) != "head.behind" {
		t.Errorf("an older copy: %v", err)
	}
	path = newest
	s = r.start(t)
	r.verify(t, s)
	s.stop()
	path = filepath.Join(dir, "other.db")
	other := newRig(t, r.open)
	other.signer = r.signer
	s = other.start(t)
	for range 9 {
		if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: 10}); err != nil {
			t.Fatal(err)
		}
	}
	s.stop()
	if _, err := r.try(t); problem.CodeOf(err) != "head.fork" {
		t.Errorf("another log: %v", err)
	}
}

// TestProofs holds what the record serves against the signed head.
func TestProofs(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t)
		if _, err := s.store.Checkpoint(t.Context()); problem.KindOf(err) != problem.NotFound {
			t.Errorf("checkpoint of an empty log: %v", err)
		}
		var wg sync.WaitGroup
		for range 300 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if _, _, err := s.sell(t, sale{Ref: newRef(), Slot: hot, Allotment: 1000}); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		v, err := record.NewVerifier(r.signer.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []uint64{0, 1, 255, 256, 300} {
			env, _, err := s.store.Entry(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			text, err := s.store.Proof(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			if _, h, err := record.VerifyProof(text, env, v); err != nil || h.Size != 301 {
				t.Errorf("proof of %d: size %d, %v", i, h.Size, err)
			}
		}
		for path, want := range map[string]int{"tile/0/000": 256 * 32, "tile/0/001.p/45": 45 * 32, "tile/0/001.p/7": 7 * 32, "tile/1/000.p/1": 32} {
			b, err := s.store.Tile(t.Context(), path)
			if err != nil || len(b) != want {
				t.Errorf("%s: %d bytes, %v; want %d", path, len(b), err, want)
			}
		}
		if b, err := s.store.Tile(t.Context(), "tile/entries/001.p/45"); err != nil {
			t.Error(err)
		} else if list, err := record.ParseBundle(b, 45); err != nil || len(list) != 45 {
			t.Errorf("bundle: %d, %v", len(list), err)
		}
		for _, path := range []string{"tile/0/001.p/46", "tile/0/002", "tile/9/000", "tile/entries/001.p/46", "", "checkpoint", "tile/0/1"} {
			if _, err := s.store.Tile(t.Context(), path); problem.KindOf(err) != problem.NotFound || err == nil {
				t.Errorf("%q: %v, want not found", path, err)
			}
		}
		for _, f := range []func() error{
			func() error { _, err := s.store.Proof(t.Context(), 301); return err },
			func() error { _, _, err := s.store.Entry(t.Context(), 301); return err },
		} {
			if err := f(); problem.KindOf(err) != problem.NotFound {
				t.Errorf("past the end: %v", err)
			}
		}
		n := uint64(0)
		for rec, err := range s.store.Facts(t.Context(), 0, 1<<60) {
			if err != nil {
				t.Fatal(err)
			}
			if rec.Index != n {
				t.Errorf("fact %d at %d", n, rec.Index)
			}
			n++
		}
		if n != 301 {
			t.Errorf("%d facts", n)
		}
	})
}

func TestPass(t *testing.T) { // the zero pass id has the size that refs fill here
	if len(pass.ID{}) > booking.RefLength {
		t.Fatal("a reference no longer fills a pass id")
	}
}

// TestDigestsGiveNothingAway reads the digest that is kept with an answer, and finds no
// temperature by trying all of them without the key of the log.
func TestDigestsGiveNothingAway(t *testing.T) {
	engines(t, func(t *testing.T, r *rig) {
		law, err := storetest.Law(6)
		if err != nil {
			t.Fatal(err)
		}
		s := r.start(t, func(c *sequencer.Config) {
			c.Law, c.Clock = func() *service.Law { return law }, storetest.Now
		})
		o := people.Officer{ID: "o-1", Login: "gate", Roles: []people.Role{people.GateOfficer}, Active: true}
		if _, err := s.Do(t.Context(), service.Idem{}, service.Appoint{Officer: o}); err != nil {
			t.Fatal(err)
		}
		c := service.Scan{Site: storetest.Site, Gate: 1, Direction: "in", Officer: "o-1", Fault: pass.Foreign, Screening: service.Screening{Done: true, TempTenths: 391}}
		if _, err := s.Do(t.Context(), service.Idem{Key: newKey(), Actor: "o-1"}, c); err != nil {
			t.Fatal(err)
		}
		var digests [][32]byte
		err = s.store.Engine().Scan(t.Context(), "idempotency", func(_, v []byte) error {
			var k store.Kept
			if err := s.store.Codec().Unmarshal(v, &k); err != nil {
				return err
			}
			digests = append(digests, k.Digest)
			return nil
		})
		if err != nil || len(digests) != 1 {
			t.Fatal(len(digests), err)
		}
		for temp := range int16(500) {
			c.Screening.TempTenths = temp
			body, err := s.store.Codec().Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			keyless, err := service.Digest(s.store.Codec(), hmac.New(sha256.New, nil), c)
			if err != nil {
				t.Fatal(err)
			}
			if plain := sha256.Sum256(append([]byte(c.CommandKind()+"\n"), body...)); plain == digests[0] || keyless == digests[0] {
				t.Fatalf("the digest gives the temperature away: %d", temp)
			}
		}
	})
}
