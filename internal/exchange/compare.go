// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

// Comparison says whether two files of one log tell the same.
type Comparison struct {
	A, B record.Head
	// Agree is true where each is the beginning of the other or the same.
	Agree bool
	// First is the position of the first entry that differs, with the entries as each has it.
	First        uint64
	EntryA       record.Entry
	EntryB       record.Entry
	Common       uint64 // entries that both have
	CosignedA    bool
	CosignedB    bool
	DisclosuresA uint64 // disclosures that were checked against their digests
	DisclosuresB uint64
}

// audit reads a whole log from a source, entry by entry.
type audit struct {
	src      Source
	head     record.Head
	tree     record.Tree
	checked  uint64
	cosigned bool
}

func newAudit(ctx context.Context, src Source, log *record.Verifier, cosigners ...*record.Verifier) (*audit, error) {
	signed, err := src.Get(ctx, "checkpoint", record.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	h, err := record.OpenHead(signed, log, cosigners...)
	if err != nil {
		return nil, err
	}
	return &audit{src: src, head: h, cosigned: len(h.Cosignatures) > 0}, nil
}

// bundle returns the entries of the nth bundle, and none behind the last.
func (a *audit) bundle(ctx context.Context, n uint64) ([][]byte, error) {
	if n*record.TileWidth >= a.head.Size {
		return nil, nil
	}
	id := record.TileID{Level: record.Entries, Index: n, Width: int(min(record.TileWidth, a.head.Size-n*record.TileWidth))}
	b, err := a.src.Get(ctx, id.Path(), maxBundle)
	if err != nil {
		return nil, err
	}
	entries, err := record.ParseBundle(b, id.Width)
	if err != nil {
		return nil, err
	}
	if b, err = a.src.Get(ctx, disclosuresPath(id), maxDisclosed); err != nil {
		return nil, err
	}
	told, err := record.ParseDisclosed(b, id.Width)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		ds, err := record.ParseDisclosures(told[i])
		if err != nil {
			return nil, err
		}
		env, err := record.ParseEntry(e)
		if err != nil && len(ds) > 0 {
			return nil, err
		}
		for _, d := range ds {
			if !env.Verify(d) {
				return nil, problem.Newf(problem.Untrusted, "record.disclosure", "entry %d: what is disclosed is not what was logged", n*record.TileWidth+uint64(i))
			}
			a.checked++
		}
	}
	_, err = a.tree.Append(entries)
	return entries, err
}

// whole makes sure that all entries make the root that was signed.
func (a *audit) whole() error {
	if a.tree.Size() != a.head.Size || a.tree.Root() != a.head.Root {
		return problem.Newf(problem.Untrusted, "record.root", "the entries of a file of %s do not make the root that was signed: the file was altered", a.head.Origin)
	}
	return nil
}

// Compare goes through two whole files of one log. Each is first held against its own
// signed head: a file whose entries do not make its root is a problem of kind untrusted.
func Compare(ctx context.Context, x, y Source, log *record.Verifier, cosigners ...*record.Verifier) (Comparison, error) {
	a, err := newAudit(ctx, x, log, cosigners...)
	if err != nil {
		return Comparison{}, err
	}
	b, err := newAudit(ctx, y, log, cosigners...)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{A: a.head, B: b.head, Agree: true, Common: min(a.head.Size, b.head.Size), CosignedA: a.cosigned, CosignedB: b.cosigned}
	for n := uint64(0); n*record.TileWidth < max(a.head.Size, b.head.Size); n++ {
		p, err := a.bundle(ctx, n)
		if err != nil {
			return c, err
		}
		q, err := b.bundle(ctx, n)
		if err != nil {
			return c, err
		}
		for i := range min(len(p), len(q)) {
			if c.Agree && !bytes.Equal(p[i], q[i]) {
				c.Agree, c.First = false, n*record.TileWidth+uint64(i)
				// What cannot be read differs all the same.
				c.EntryA, _ = record.ParseEntry(p[i])
				c.EntryB, _ = record.ParseEntry(q[i])
			}
		}
	}
	c.DisclosuresA, c.DisclosuresB = a.checked, b.checked
	if err := a.whole(); err != nil {
		return c, err
	}
	return c, b.whole()
}
