// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"runtime/debug"
	"sync"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// run seeks the lease, serves the log while it holds it, and begins again when it is
// lost. known is told once how the start went.
func (s *Sequencer) run(ctx context.Context, known chan<- error) {
	told := false
	tell := func(err error) {
		if !told {
			told = true
			known <- err
		}
	}
	var lost *batch // handed to the database with no answer
	for ctx.Err() == nil {
		lease, err := s.eng.Acquire(ctx, s.name, s.c.Address, s.c.TTL.Milliseconds())
		if err == nil {
			s.lease.Store(&lease)
			if lost != nil {
				// Whoever holds the lease now has fenced off that batch: it is in the log or never will be.
				lost = s.resolve(ctx, lost)
			}
		}
		switch {
		case err != nil:
			s.c.Log.Warn("the lease of the log cannot be read", "error", err)
		case lease.Owner == s.name && lease.Live:
			o, err := s.open(ctx, lease.Epoch)
			if err == nil {
				s.refusal.Store(nil)
				s.owning.Store(true)
				tell(nil)
				lost = o.serve(ctx)
				s.owning.Store(false)
			} else {
				s.c.Log.Error("this server may not write to the log", "error", err)
				s.refuse(err)
				tell(err)
				s.release(lease.Epoch)
			}
			o.close()
		case lease.Live:
			tell(nil)
		}
		pause := s.c.TTL / 4
		if lost != nil {
			pause = min(pause, 50*time.Millisecond)
		}
		s.sendAway(ctx, pause)
	}
	if lost != nil {
		lost.answerAll(errUnknown)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	s.sendAway(gone, 0)
}

// refuse makes err the answer to commands while this server may not write.
func (s *Sequencer) refuse(err error) {
	var p *problem.Error
	if !errors.As(err, &p) {
		p = &problem.Error{Kind: problem.Offline, Code: "sequencer.owner", Err: err}
	}
	s.refusal.Store(p)
}

// sendAway tells commands, for a time, that they were not run: they had come for an owner
// that is no more. It empties the queue before it looks at the time.
func (s *Sequencer) sendAway(ctx context.Context, d time.Duration) {
	over := time.After(d)
	for {
		select {
		case it := <-s.queue:
			it.answer <- answer{err: errNotRun}
			continue
		default:
		}
		select {
		case it := <-s.queue:
			it.answer <- answer{err: errNotRun}
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (s *Sequencer) release(epoch uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.eng.Release(ctx, s.name, epoch); err != nil && !errors.Is(err, engine.ErrFenced) {
		s.c.Log.Warn("the lease of the log was not given back", "error", err)
	}
}

// An owner is the time for which this server holds one lease. Its fields belong to the
// goroutine of serve, but for those that the committer is handed in a batch.
type owner struct {
	s     *Sequencer
	epoch uint64
	head  *headFile

	work   *store.Working
	tx     service.Tx
	size   uint64 // of the log with everything that was decided
	lastAt time.Time
	next   *batch
	// Room for take and decide, used again and again.
	taken  []*item
	keys   service.Keys
	kept   []string
	made   []engine.Entry
	body   []byte
	told   []record.Disclosure
	salted [sha256.Size]byte

	hmac hash.Hash // under the secret of the salts

	tree      *record.Tree   // the committer's
	answering sync.WaitGroup // answers that are being given

	pruning bool // there are old answers yet to be removed

	learning sync.WaitGroup
	stop     context.CancelFunc // of learning
}

// A batch is what is committed together.
type batch struct {
	items   []*item
	answers []answer

	number   uint64 // of the working state
	old      uint64
	lastAt   int64
	entries  []engine.Entry
	rows     []engine.Rows
	root     record.Hash // of the log after the batch
	prepared bool        // root is set
}

func (b *batch) answerAll(err error) {
	for i, it := range b.items {
		if err != nil {
			it.answer <- answer{err: err}
		} else {
			it.answer <- b.answers[i]
		}
	}
}

// open loads what the owner of a lease needs, and makes sure that the log which is there
// is the one that was signed.
func (s *Sequencer) open(ctx context.Context, epoch uint64) (*owner, error) {
	o := &owner{s: s, epoch: epoch, work: s.c.Store.NewWorking(epoch), next: &batch{}, hmac: hmac.New(sha256.New, s.salt)}
	tree, head, err := s.c.Store.OpenTree(ctx)
	if err != nil {
		return o, err
	}
	if o.head, err = openHeadFile(s.c.HeadFile); err != nil {
		return o, err
	}
	if err := o.head.check(ctx, s.c.Store, s.c.Signer.Name(), head.Size); err != nil {
		return o, err
	}
	o.tree, o.size = tree, head.Size
	o.lastAt = time.UnixMicro(head.LastAt).UTC()
	o.tx = service.Tx{State: o.work.State, Side: s.c.Side}
	learn, stop := context.WithCancel(context.Background())
	o.learning.Add(1)
	o.stop = stop
	go func() {
		defer o.learning.Done()
		if err := o.work.Learn(learn, s.eng); err != nil && learn.Err() == nil {
			s.c.Log.Warn("the keys cannot be read: every row is looked up", "error", err)
		}
	}()
	return o, nil
}

func (o *owner) close() {
	if o.stop != nil {
		o.stop()
		o.learning.Wait()
	}
	if o.head != nil {
		o.head.close()
	}
}

// serve takes commands until the lease is lost or the sequencer stops. While one batch is
// being committed the next is decided on top of it; an answer is given only when the batch
// that it is in, and with it every batch before, is on stable storage. It returns the
// batch whose fate is unknown, if there is one.
func (o *owner) serve(ctx context.Context) (lost *batch) {
	s := o.s
	todo, done := make(chan *batch), make(chan error)
	go o.commitLoop(todo, done)
	defer o.answering.Wait()
	defer func() { o.next.answerAll(errNotRun) }()
	defer close(todo)

	renew := time.NewTicker(s.c.TTL / 3)
	defer renew.Stop()
	prune := time.NewTicker(10 * time.Second)
	defer prune.Stop()
	renewed := time.Now()

	var out *batch // with the committer
	// closing: what was decided is still committed; deposed: it is not.
	closing, deposed := false, false
	for {
		if out == nil && deposed {
			return nil
		}
		if out == nil && len(o.next.items) > 0 {
			var err error
			if out, err = o.finish(); err != nil {
				s.c.Log.Error("a batch cannot be put together", "error", err)
				return nil
			}
			todo <- out
		}
		if closing && out == nil {
			s.release(o.epoch)
			return nil
		}
		queue := s.queue
		if len(o.next.items) >= maxBatch || closing || deposed {
			queue = nil
		}
		// The committer comes first: while it waits, the database is idle.
		answered, err := false, error(nil)
		select {
		case err = <-done:
			answered = true
		default:
			select {
			case err = <-done:
				answered = true
			case it := <-queue:
				if err := o.take(ctx, it); err != nil {
					s.c.Log.Error("rows cannot be read", "error", err)
				}
			case <-renew.C:
				err := s.eng.Renew(ctx, s.name, o.epoch, s.c.TTL.Milliseconds())
				switch {
				case err == nil:
					renewed = time.Now()
				case errors.Is(err, engine.ErrFenced) || time.Since(renewed) > s.c.TTL:
					s.c.Log.Warn("the lease of the log is lost", "error", err)
					s.owning.Store(false)
					deposed = true
				}
			case <-prune.C:
				o.prune(ctx)
			case <-ctx.Done():
				s.owning.Store(false)
				closing = true
				ctx = context.WithoutCancel(ctx)
			}
		}
		if !answered {
			continue
		}
		b := out
		out = nil
		switch {
		case err == nil:
			o.work.Settle(b.number)
			if o.pruning {
				o.prune(ctx)
			}
		case errors.Is(err, engine.ErrFenced):
			s.c.Log.Warn("the log has another owner")
			b.answerAll(errNotRun)
			return nil
		case errors.Is(err, engine.ErrCheck):
			s.c.Log.Error("the database refused a batch", "error", err)
			b.answerAll(problem.Wrap(problem.Internal, "sequencer.check", err))
			return nil
		default:
			s.c.Log.Warn("a commit was not answered", "error", err)
			return b
		}
	}
}

// maxTake is how many commands are decided before it is seen whether the committer waits.
const maxTake = 32

// take decides the command that was waited for, and some more where they are there.
func (o *owner) take(ctx context.Context, first *item) error {
	items := append(o.taken[:0], first)
	for len(items) < min(maxTake, maxBatch-len(o.next.items)) {
		select {
		case it := <-o.s.queue:
			items = append(items, it)
			continue
		default:
		}
		break
	}
	o.taken = items
	defer clear(items)
	o.keys.Clear()
	kept := o.kept[:0]
	for _, it := range items {
		it.command.Keys(&o.keys)
		if it.key != "" {
			kept = append(kept, it.key)
		}
	}
	o.kept = kept
	defer clear(kept)
	if err := o.work.Prefetch(ctx, &o.keys, kept); err != nil {
		for _, it := range items {
			it.answer <- answer{err: errNotRun}
		}
		return err
	}
	o.tx.Law = o.s.c.Law()
	for _, it := range items {
		if a, ok := o.do(it); ok {
			o.next.items = append(o.next.items, it)
			o.next.answers = append(o.next.answers, a)
		} else {
			it.answer <- a // nothing was changed, so there is nothing to wait for
		}
	}
	// What cannot be encoded shows again when the batch is put together.
	return o.work.Encode()
}

// do runs one command on top of everything before it. It is true where the answer has to
// wait for a commit.
func (o *owner) do(it *item) (a answer, wait bool) {
	o.work.Begin()
	if it.key != "" {
		k, ok := o.work.Kept(it.key)
		if err := o.work.Fault(); err != nil {
			return answer{err: err}, false
		}
		if ok && k.Digest != it.digest {
			return answer{err: problem.New(problem.Conflict, "idempotency.reused")}, false
		}
		if ok {
			// It may stand in a batch that is not committed yet.
			return answer{done: service.Done{Answer: k.Answer, First: k.First, Count: k.Count, Again: true}}, true
		}
	}
	done, entries, err := o.decide(it)
	if err != nil {
		o.work.Undo()
		return answer{err: err}, false
	}
	if it.key != "" {
		o.work.Keep(it.key, o.tx.Now, store.Kept{Digest: it.digest, Answer: done.Answer, First: done.First, Count: done.Count})
	}
	o.next.entries = append(o.next.entries, entries...)
	o.size += uint64(len(entries))
	o.lastAt = o.tx.Now
	return answer{done: done}, true
}

// decide runs a command and encodes what it made, in entries that are good until the next
// one. A command that panics has failed alone.
func (o *owner) decide(it *item) (done service.Done, entries []engine.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			o.s.c.Log.Error("a command panicked", "command", it.command.CommandKind(), "panic", p, "stack", string(debug.Stack()))
			err = problem.Newf(problem.Internal, "command.panic", "%s: %v", it.command.CommandKind(), p)
		}
	}()
	o.tx.Reset(o.now())
	result, err := it.command.Run(&o.tx)
	if fault := o.work.Fault(); fault != nil {
		return done, nil, fault // the decision rests on rows that could not be read
	}
	if err == nil {
		err = o.work.Check()
	}
	if err == nil {
		done.Answer, err = o.s.codec.Marshal(result)
	}
	if err != nil {
		var p *problem.Error
		if !errors.As(err, &p) {
			err = problem.Wrap(problem.Internal, "command.failed", err)
		}
		return done, nil, err
	}
	done.First, done.Count = o.size, uint64(len(o.tx.Facts()))
	entries = o.made[:0]
	var sharing service.Sharing
	if o.s.c.Sharing != nil {
		sharing = o.s.c.Sharing(o.tx.Now)
	}
	for _, f := range o.tx.Facts() {
		body, err := o.s.codec.EncodeTo(o.body[:0], f)
		if err != nil {
			return done, nil, problem.Wrap(problem.Internal, "command.fact", err)
		}
		o.body = body
		ds, told := o.told[:0], 0
		for _, part := range record.Split(body, sharing[f.FactKind()]) {
			ds = append(ds, record.Disclosure{Group: part.Group, Salt: o.saltOf(o.size+uint64(len(entries)), part.Group), Body: part.Body})
			told += 40 + len(part.Body)
		}
		o.told = ds
		e, err := record.NewEntry(f.FactKind(), o.tx.Now, ds...)
		if err != nil {
			return done, nil, problem.Wrap(problem.Internal, "command.fact", err)
		}
		disclosures := make([]byte, 0, told)
		for _, d := range ds {
			disclosures = append(disclosures, d.Bytes()...)
		}
		entries = append(entries, engine.Entry{Envelope: e.Append(make([]byte, 0, 96)), Disclosure: disclosures})
	}
	o.made = entries
	return done, entries, nil
}

// saltOf returns the salt of a group of an entry: nobody who lacks the log's secret can
// tell it from a random one, and a batch that is made again has the same.
func (o *owner) saltOf(index uint64, group string) (salt [16]byte) {
	o.hmac.Reset()
	b := o.salted[:]
	binary.BigEndian.PutUint64(b, index)
	o.hmac.Write(append(b[:8], group...))
	copy(salt[:], o.hmac.Sum(b[:0]))
	return salt
}

// slack is how far the clock may stand behind the last entry and be held to it.
const slack = time.Minute

// now is the time of the next command. A clock that was set back a little does not turn
// the order of the record around; one that was set back far is believed.
func (o *owner) now() time.Time {
	now := o.s.c.Clock().UTC().Truncate(time.Microsecond)
	if behind := o.lastAt.Sub(now); behind > 0 && behind < slack {
		return o.lastAt
	}
	return now
}

// prune has answers that are old go with the next batch.
func (o *owner) prune(ctx context.Context) {
	var err error
	if o.pruning, err = o.work.Prune(ctx, o.s.c.Clock().Add(-keepAnswers)); err != nil {
		o.s.c.Log.Warn("old answers cannot be read", "error", err)
	}
}

// finish closes the batch that was being decided and begins the next.
func (o *owner) finish() (*batch, error) {
	rows, number, err := o.work.Collect()
	if err != nil {
		return nil, fmt.Errorf("sequencer: %w", err)
	}
	b := o.next
	b.number, b.rows, b.lastAt = number, rows, o.lastAt.UnixMicro()
	b.old = o.size - uint64(len(b.entries))
	o.next = &batch{}
	return b, nil
}
