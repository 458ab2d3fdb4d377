// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/store/engine"
)

// Answers are kept so that a retry gets the same one. What is kept under an idempotency key
// is small and says on which page the answer stands: a page holds the answers of one batch,
// which are much alike, compressed together, with the keys that they are kept under. So
// old answers are found by their pages, which sort by time, and no index is kept for that.
// Neither table is state.
const (
	keptTable  = "idempotency"
	pagesTable = "answers"
)

// Kept is the answer of a command that was done, kept for a retry.
type Kept struct {
	Digest [32]byte `cbor:"1,keyasint"` // of the command
	First  uint64   `cbor:"2,keyasint"`
	Count  uint64   `cbor:"3,keyasint"`
	Page   [16]byte `cbor:"4,keyasint"`
	Line   uint64   `cbor:"5,keyasint"` // on the page, from 0
	Answer []byte   `cbor:"-"`          // nil where it is only on its page
}

// A line of a page.
type line struct {
	_      struct{} `cbor:",toarray"`
	Key    []byte
	Answer []byte
}

// pages are those which the owner of a log writes and removes.
type pages struct {
	epoch uint64
	last  int64 // the number of the page that was begun last, microseconds since 1970 or a little more
	key   [16]byte
	lines int
	body  []byte // of the page being written: its lines

	gone [][]byte // pages to be removed with the next batch
	from []byte   // where to look for more
}

// pageKey sorts pages by time. No two owners of a log have one epoch.
func pageKey(micros int64, epoch uint64) (k [16]byte) {
	binary.BigEndian.PutUint64(k[:8], uint64(max(micros, 0)))
	binary.BigEndian.PutUint64(k[8:], epoch)
	return k
}

func keptRows(w *Working) *rows[string, Kept] {
	r := learning[string, Kept](w, keptTable, textKey).(*rows[string, Kept])
	quick(r, func(dst []byte, k *Kept) []byte {
		b := cose.AppendMap(dst, 5)
		b = cose.AppendBytes(cose.AppendUint(b, 1), k.Digest[:])
		b = cose.AppendUint(cose.AppendUint(b, 2), k.First)
		b = cose.AppendUint(cose.AppendUint(b, 3), k.Count)
		b = cose.AppendBytes(cose.AppendUint(b, 4), k.Page[:])
		return cose.AppendUint(cose.AppendUint(b, 5), k.Line)
	})
	return r
}

// Keep keeps an answer that was given now under a key. It is not undone.
func (w *Working) Keep(key string, now time.Time, k Kept) {
	p := &w.pages
	if p.lines == 0 {
		p.last = max(p.last+1, now.UnixMicro())
		p.key = pageKey(p.last, p.epoch)
	}
	k.Page, k.Line = p.key, uint64(p.lines)
	p.lines++
	p.body = cose.AppendBytes(cose.AppendBytes(cose.AppendArray(p.body, 2), []byte(key)), k.Answer)
	w.kept.Put(key, k)
}

// Kept returns what is kept under a key. Where it cannot be read, Fault says so.
func (w *Working) Kept(key string) (Kept, bool) {
	k, ok := w.kept.Get(key)
	if !ok || k.Answer != nil {
		return k, ok
	}
	reqs := []engine.Request{{Table: pagesTable, Keys: [][]byte{k.Page[:]}}}
	err := problem.Wrap(problem.Offline, "store.read", w.src.Fetch(w.ctx, reqs))
	if err == nil {
		var page []line
		page, err = w.readPage(reqs[0].Values[0])
		switch {
		case err != nil:
		case k.Line >= uint64(len(page)) || string(page[k.Line].Key) != key:
			err = problem.New(problem.Internal, "store.page")
		default:
			k.Answer = page[k.Line].Answer
		}
	}
	if err != nil {
		w.fault = errors.Join(w.fault, err)
		return Kept{}, false
	}
	return k, true
}

func (w *Working) readPage(v []byte) (page []line, err error) {
	body, err := s2.Decode(nil, v)
	if err == nil {
		err = w.codec.Unmarshal(body, &page)
	}
	return page, problem.Wrap(problem.Internal, "store.page", err)
}

// collect returns the page of a batch, and the pages that go with it.
func (p *pages) collect() engine.Rows {
	r := engine.Rows{Table: pagesTable, Gone: p.gone}
	p.gone = nil
	if p.lines == 0 {
		return r
	}
	page := append(cose.AppendArray(make([]byte, 0, len(p.body)+9), p.lines), p.body...)
	r.Keys, r.Values, r.Fresh = [][]byte{append([]byte{}, p.key[:]...)}, [][]byte{s2.Encode(nil, page)}, 1
	p.lines, p.body = 0, p.body[:0]
	return r
}

// Bounds of what one batch removes.
const (
	prunePages = 64
	pruneLines = 2048
)

// Prune has the answers of the oldest pages that were begun before some moment go with the
// next batch, as many as a batch should remove. More says that there may be others. It is
// for between two commands.
func (w *Working) Prune(ctx context.Context, before time.Time) (more bool, err error) {
	w.Begin()
	p := &w.pages
	to := pageKey(before.UnixMicro(), 0)
	pages, lines := 0, 0
	enough := errors.New("enough")
	err = w.src.Range(ctx, pagesTable, p.from, to[:], prunePages, func(k, v []byte) error {
		page, err := w.readPage(v)
		if err != nil {
			return fmt.Errorf("page %x: %w", k, err)
		}
		for _, l := range page {
			w.kept.Delete(string(l.Key))
		}
		p.gone = append(p.gone, append([]byte{}, k...))
		p.from = append(append([]byte{}, k...), 0)
		pages, lines = pages+1, lines+len(page)
		if lines >= pruneLines {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	w.Begin()
	return err == nil && (pages == prunePages || lines >= pruneLines), err
}
