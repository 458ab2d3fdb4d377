// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
)

var (
	simSeed  = flag.Uint64("seed", 0, "the one seed to simulate, such as one that failed; 0 for all")
	simSeeds = flag.Uint64("seeds", 300, "how many seeds to simulate")
)

var errCrash = errors.New("crash")

// lossy is a line that loses answers, gives old ones again, and alters some.
type lossy struct {
	w         *writing
	r         *rand.Rand
	loss      float64
	alter     bool
	old       map[string][]byte // answers of before, by path
	altered   bool
	pretended string // what it altered
}

func (l *lossy) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	if l.r.Float64() < l.loss {
		return nil, problem.New(problem.Offline, "exchange.offline")
	}
	b, err := l.w.Get(ctx, path, limit)
	if err != nil {
		return nil, err
	}
	b = bytes.Clone(b)
	// An answer to an earlier question, delivered again.
	if old, ok := l.old[path]; ok && l.r.Float64() < l.loss/2 {
		return old, nil
	}
	l.old[path] = b
	if l.alter && len(b) > 0 && l.r.IntN(6) == 0 {
		b = bytes.Clone(b)
		b[l.r.IntN(len(b))] ^= byte(1 + l.r.IntN(255))
		l.altered, l.pretended = true, path
	}
	return b, nil
}

// A simulated side mirrors the log of the other.
type simulated struct {
	own, theirs *writing
	st          *store.Store
	line        *lossy
	halted      bool // for a fork that it was shown
}

// simulate plays both sides of one seed: logs that grow, a line that loses, repeats,
// reorders and alters, servers that stop anywhere, clocks apart, a side that tells two
// stories or that forgets what it signed. It returns what was wrong.
func simulate(ctx context.Context, t testing.TB, st *store.Store, seed uint64) (err error) {
	r := rand.New(rand.NewPCG(seed, 5))
	var sides [2]*simulated
	for i := range sides {
		w := newWriting(t, fmt.Sprintf("darwaza.dev/sim-%d/%c", seed, 'A'+i), seed*2+uint64(i))
		sides[i] = &simulated{own: w, st: st}
	}
	for i, s := range sides {
		s.theirs = sides[1-i].own
		s.line = &lossy{w: s.theirs, r: r, old: map[string][]byte{}, loss: []float64{0, 0.05, 0.2}[r.IntN(3)], alter: r.IntN(3) == 0}
	}
	applies := seed%25 == 0 // a mirrored state has many tables, and to make them takes time
	skew := time.Duration(r.IntN(20)-10) * time.Minute
	follow := func(s *simulated, src Source, live bool) error {
		m, err := s.st.OpenMirror(ctx, s.theirs.signer.Name())
		if err != nil {
			return err
		}
		key, _ := cosignerKey("darwaza.dev/test/B/mirror")
		steps, stop := 0, -1
		if r.IntN(4) == 0 {
			stop = r.IntN(6)
		}
		f := &Follower{Mirror: m, Log: s.theirs.log, Cosigner: key, Clock: func() time.Time { return noon.Add(skew) }, Live: live}
		f.Keep = func(e record.Fork) error {
			if _, _, err := record.OpenFork(e.Text(), s.theirs.log); err != nil {
				return fmt.Errorf("evidence that convinces nobody: %w", err)
			}
			return nil
		}
		f.Step = func(string) error {
			if steps++; steps-1 == stop {
				return errCrash
			}
			return nil
		}
		_, err = f.Follow(ctx, src)
		if applies && err == nil && r.IntN(2) == 0 {
			_, err = m.Apply(ctx)
		}
		return err
	}
	check := func(s *simulated) error {
		m, err := s.st.OpenMirror(ctx, s.theirs.signer.Name())
		if err != nil {
			return err
		}
		at := m.At()
		if at.Size > uint64(len(s.theirs.entries)) {
			return fmt.Errorf("the mirror has %d entries of %d", at.Size, len(s.theirs.entries))
		}
		if root := must(record.RootAt(at.Size, s.theirs.tree.Size(), s.theirs.tree.Root(), &sourceTiles{ctx: ctx, src: s.theirs, seen: map[record.TileID][]byte{}})); !bytes.Equal(root[:], at.Root) {
			return fmt.Errorf("the mirror of %d entries is not the log's beginning", at.Size)
		}
		if (at.Halted != "") != s.halted {
			return fmt.Errorf("halted %q, and a fork was shown: %v", at.Halted, s.halted)
		}
		return nil
	}
	for range 12 {
		s := sides[r.IntN(2)]
		switch r.IntN(8) {
		case 0, 1:
			s.own.open(1 + r.IntN(300))
		case 2: // a liar, or a copy of yesterday, in the other side's place
			if len(s.theirs.facts) == 0 || s.halted {
				continue
			}
			common := r.IntN(len(s.theirs.facts))
			liar := s.theirs.fork(t, common)
			lies := r.IntN(2) == 0
			if lies {
				for i := range 1 + r.IntN(300) {
					liar.add(openedFact(1_000_000 + i))
				}
			} else if common == 0 {
				continue
			}
			m, err := s.st.OpenMirror(ctx, s.theirs.signer.Name())
			if err != nil {
				return err
			}
			at := m.At()
			if lies && at.Size <= uint64(common) {
				continue // nothing was mirrored yet that contradicts it: it would be believed, as any log is
			}
			err = follow(s, liar, true)
			if errors.Is(err, errCrash) {
				err = nil
			}
			m, _ = s.st.OpenMirror(ctx, s.theirs.signer.Name())
			s.halted = m.At().Halted != ""
			if s.halted && !lies {
				return fmt.Errorf("a restored copy is taken for a fork")
			}
			if err != nil && problem.KindOf(err) != problem.Conflict {
				return fmt.Errorf("a log that contradicts itself: %w", err)
			}
		default:
			err := follow(s, s.line, r.IntN(2) == 0)
			fine := err == nil || errors.Is(err, errCrash) || offline(err) || problem.KindOf(err) == problem.NotFound || problem.CodeOf(err) == "exchange.behind" ||
				problem.KindOf(err) == problem.Untrusted || s.halted && problem.KindOf(err) == problem.Forbidden
			if !fine {
				return fmt.Errorf("following: %w", err)
			}
		}
		if err := check(s); err != nil {
			return err
		}
	}
	// The line is well again, and people have looked at what was halted.
	for _, s := range sides {
		m, err := s.st.OpenMirror(ctx, s.theirs.signer.Name())
		if err != nil {
			return err
		}
		if s.halted {
			if err := m.Halt(ctx, ""); err != nil {
				return err
			}
		}
		if len(s.theirs.entries) == 0 {
			continue
		}
		key, _ := cosignerKey("darwaza.dev/test/B/mirror")
		f := &Follower{Mirror: m, Log: s.theirs.log, Cosigner: key, Clock: func() time.Time { return noon.Add(skew) }, Live: true}
		if _, err := f.Follow(ctx, s.theirs); err != nil {
			return fmt.Errorf("at the end: %w", err)
		}
		s.theirs.stored(t, m)
		if applies {
			s.theirs.whole(t, s.st, m)
		}
	}
	return nil
}

// TestSimulation plays many seeds, a thousand with -seeds 1000. A failing one is played again with -seed.
func TestSimulation(t *testing.T) {
	ctx := context.Background()
	first, last := uint64(1), *simSeeds
	if testing.Short() {
		last = 50
	}
	if *simSeed > 0 {
		first, last = *simSeed, *simSeed
	}
	var st *store.Store
	for seed := first; seed <= last; seed++ {
		if (seed-first)%250 == 0 {
			st = newStore(t) // a mirror has tables of its own, and many tables make a database slow
		}
		if err := simulate(ctx, t, st, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
