// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
)

// A file that is carried by hand is a zip of what the line shows, under the same paths:
//
//	log/checkpoint, log/tile/…, log/disclosures/…   of the log that the file is of
//	cosigned                                        the newest head of the reader's own log that
//	                                                the writer has stored and cosigned
//
// Nothing in it is believed for its own sake: heads are signed, and all else lies under
// their roots. So it may be read twice, late, or after a newer one.

// Limits of a file: how many members it has, and how long their names are.
const (
	maxMembers = 4 << 20
	maxMember  = 100
)

// Export writes what the other side lacks of this side's log, as far as it has said what
// it has, and the cosigned head of its own. It returns the positions that the file covers.
func (r *Record) Export(ctx context.Context, w io.Writer) (from, to uint64, err error) {
	keys := r.Keys()
	cosigned, err := r.Store.Cosigned(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, c := range cosigned {
		if keys.TheirCosigner != nil && c.Cosigner == keys.TheirCosigner.Name() {
			from = c.Size
		}
	}
	var theirs []byte
	mirrors, err := r.Store.Mirrors(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range mirrors {
		if keys.Theirs != nil && m.Origin == keys.Theirs.Name() {
			theirs = m.Checkpoint
		}
	}
	to, err = writeArchive(ctx, own{r.Store, record.OtherSide}, keys.Mine, from, theirs, w)
	return from, to, err
}

// ExportWhole writes a whole log for auditors: this side's own, or the other side's as it
// is mirrored here.
func (r *Record) ExportWhole(ctx context.Context, mirror bool, w io.Writer) (size uint64, err error) {
	keys := r.Keys()
	if !mirror {
		return writeArchive(ctx, audited{own{r.Store, record.Auditors}, r.cosignedHead}, keys.Mine, 0, nil, w)
	}
	m, err := r.Store.OpenMirror(ctx, keys.Theirs.Name())
	if err != nil {
		return 0, err
	}
	return writeArchive(ctx, mirrorSource{m}, keys.Theirs, 0, nil, w)
}

// cosignedHead returns the newest head of this side's log that the other has cosigned, and
// nil where there is none.
func (r *Record) cosignedHead(ctx context.Context) ([]byte, error) {
	list, err := r.Store.Cosigned(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0].Checkpoint, nil
}

// audited is this side's log for auditors: its head is the one that the other side has
// cosigned, where that covers all.
type audited struct {
	own
	cosigned func(context.Context) ([]byte, error)
}

func (a audited) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	b, err := a.own.Get(ctx, path, limit)
	if path != "checkpoint" || err != nil {
		return b, err
	}
	note, err := a.cosigned(ctx)
	if err != nil || len(note) == 0 {
		return b, err
	}
	text := func(b []byte) []byte { t, _, _ := bytes.Cut(b, []byte("\n\n")); return t }
	if bytes.Equal(text(b), text(note)) {
		return note, nil
	}
	return b, nil
}

// mirrorSource is the other side's log as it is mirrored here.
type mirrorSource struct{ m *store.Mirror }

func (s mirrorSource) Get(ctx context.Context, path string, _ int64) ([]byte, error) {
	if path == "checkpoint" {
		if c := s.m.At().Checkpoint; len(c) > 0 {
			return c, nil
		}
		return nil, problem.New(problem.NotFound, codeEmpty)
	}
	rest, disclosed := strings.CutPrefix(path, "disclosures/")
	if disclosed {
		path = "tile/entries/" + rest
	}
	id, err := record.ParseTilePath(path)
	if err != nil {
		return nil, err
	}
	if !disclosed {
		b, err := s.m.Tiles(ctx).ReadTile(id)
		if err == nil && id.Level != record.Entries {
			if len(b) < id.Width*record.HashSize {
				return nil, problem.New(problem.NotFound, "record.tile")
			}
			b = b[:id.Width*record.HashSize]
		}
		return b, err
	}
	list, err := s.m.Entries(ctx, id.Index*record.TileWidth, id.Width)
	if err != nil {
		return nil, err
	}
	if len(list) < id.Width {
		return nil, problem.New(problem.NotFound, "record.tile")
	}
	var b []byte
	for _, e := range list {
		if b, err = record.AppendDisclosed(b, e.Disclosure, record.OtherSide); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// writeArchive copies a log from a position on into a file.
func writeArchive(ctx context.Context, src Source, log *record.Verifier, from uint64, cosigned []byte, w io.Writer) (uint64, error) {
	signed, err := src.Get(ctx, "checkpoint", record.MaxCheckpoint)
	if err != nil {
		return 0, err
	}
	head, err := record.OpenHead(signed, log)
	if err != nil {
		return 0, err
	}
	z := zip.NewWriter(w)
	put := func(name string, b []byte) error {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write(b)
		}
		return problem.Wrap(problem.Internal, "exchange.write", err)
	}
	if err := put("log/checkpoint", signed); err != nil {
		return 0, err
	}
	if len(cosigned) > 0 {
		if err := put("cosigned", cosigned); err != nil {
			return 0, err
		}
	}
	from = min(from, head.Size)
	for level := record.Entries; level == record.Entries || head.Size>>(record.TileHeight*level) > 0; level++ {
		shift := record.TileHeight * (max(level, 0))
		for i := from >> shift / record.TileWidth; i*record.TileWidth < head.Size>>shift; i++ {
			id := record.TileID{Level: level, Index: i, Width: int(min(record.TileWidth, head.Size>>shift-i*record.TileWidth))}
			paths := []string{id.Path()}
			if level == record.Entries {
				paths = append(paths, disclosuresPath(id))
			}
			for _, p := range paths {
				b, err := src.Get(ctx, p, maxDisclosed)
				if err == nil {
					err = put("log/"+p, b)
				}
				if err != nil {
					return 0, err
				}
			}
		}
	}
	return head.Size, problem.Wrap(problem.Internal, "exchange.write", z.Close())
}

// An Archive is an open file of a log.
type Archive struct {
	files    map[string]*zip.File
	cosigned []byte
}

// OpenArchive reads what lies where in a file. One that is none, is cut off, or holds
// anything else than a log is a problem of kind invalid; what its members hold is looked at
// when they are asked for.
func OpenArchive(r io.ReaderAt, size int64) (*Archive, error) {
	bad := func(err error) error { return problem.Newf(problem.Invalid, "exchange.archive", "%w", err) }
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, bad(err)
	}
	if len(z.File) > maxMembers {
		return nil, problem.New(problem.Limit, "exchange.archive")
	}
	a := &Archive{files: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		path, ok := strings.CutPrefix(f.Name, "log/")
		switch {
		case f.Name == "cosigned", path == "checkpoint":
		case !ok || len(f.Name) > maxMember:
			return nil, bad(errors.New("a member that is no part of a log"))
		default:
			if rest, ok := strings.CutPrefix(path, "disclosures/"); ok {
				path = "tile/entries/" + rest
			}
			if _, err := record.ParseTilePath(path); err != nil {
				return nil, bad(errors.New("a member that is no part of a log"))
			}
		}
		if _, twice := a.files[f.Name]; twice || !f.Mode().IsRegular() || f.Flags&1 != 0 {
			return nil, bad(errors.New("a member that stands twice, is no plain file, or is locked"))
		}
		a.files[f.Name] = f
	}
	if a.files["cosigned"] != nil {
		if a.cosigned, err = a.read("cosigned", record.MaxCheckpoint); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Get returns a member of the log.
func (a *Archive) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, problem.Wrap(problem.Offline, "exchange.read", err)
	}
	return a.read("log/"+path, limit)
}

// read unpacks a member, and no more of it than a limit, whatever it says of its own size.
func (a *Archive) read(name string, limit int64) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, problem.New(problem.NotFound, "exchange.missing")
	}
	r, err := f.Open()
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "exchange.archive", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(problem.Invalid, "exchange.archive", err)
	case int64(len(b)) > limit:
		return nil, problem.New(problem.Untrusted, "exchange.size")
	}
	return b, nil
}

// Imported says what a file has brought.
type Imported struct {
	Stored   uint64 // entries that were new
	Size     uint64 // of the mirror now
	Cosigned bool   // it bore a cosignature of this side's log
}

// Import takes what a file holds, in the same way as what comes over the line. A file
// before which another is missing is a problem of kind not found, and changes nothing.
func (r *Record) Import(ctx context.Context, a *Archive) (Imported, error) {
	var done Imported
	keys := r.Keys()
	if keys.Theirs == nil {
		return done, problem.New(problem.NotFound, "exchange.log")
	}
	m, err := r.Store.OpenMirror(ctx, keys.Theirs.Name())
	if err != nil {
		return done, err
	}
	done.Stored, err = r.follower(m).Follow(ctx, a)
	done.Size = m.At().Size
	if err != nil {
		return done, err
	}
	for more := done.Stored > 0; more; { // a round takes only so many
		n, err := r.follower(m).Follow(ctx, a)
		if err != nil {
			return done, err
		}
		done.Stored, more = done.Stored+n, n > 0
	}
	done.Size = m.At().Size
	if _, err := m.Apply(ctx); err != nil {
		return done, err
	}
	if len(a.cosigned) > 0 {
		if err := r.TakeCosignature(ctx, a.cosigned); err != nil {
			return done, err
		}
		done.Cosigned = true
	}
	return done, nil
}
