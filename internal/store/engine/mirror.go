// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

import "context"

// Mirror is where the mirror of another's log stands.
type Mirror struct {
	Log    int64 // its number here, 1 and up; 0 where there is none yet
	Origin string
	// Size and Root are of what is stored, which may be more than Checkpoint covers.
	Size uint64
	Root []byte
	// Checkpoint is the newest signed head of which all is stored, with the cosignature that
	// was given to it; empty where there is none.
	Checkpoint []byte
	// Pending is the signed head that is being caught up with, of which Size and Root are a
	// part; empty where Checkpoint covers all.
	Pending []byte
	// Applied is how many of the entries have been applied to the mirrored state.
	Applied uint64
	// Halted is why nothing more is taken of this log until a person says so; empty where it is.
	Halted string
}

// MirrorBatch is what one commit adds to a mirror. It is written whole or not at all.
type MirrorBatch struct {
	Old, Next Mirror // Old.Log is 0 for the first batch of a log
	Entries   []Entry
	Tiles     []Tile
	Rows      []Rows // of the mirrored state
}

// Cosigned is a head of this side's own log with the cosignature of another.
type Cosigned struct {
	Cosigner   string
	Size       uint64
	Checkpoint []byte
}

// Mirrors is what an engine keeps of others' logs. It goes by no lease: a batch that was
// made on another state of the mirror than the stored one is refused.
type Mirrors interface {
	// Mirrors returns every mirror, by number.
	Mirrors(ctx context.Context) ([]Mirror, error)
	// MirrorEntries returns up to n entries from a position.
	MirrorEntries(ctx context.Context, log int64, from uint64, n int) ([]Entry, error)
	// MirrorTile returns the hashes of a tile as far as they are there, or ErrNotFound.
	MirrorTile(ctx context.Context, log int64, level int, index int64) ([]byte, error)
	// CommitMirror writes a batch, on stable storage when it returns nil; ErrFenced where the
	// mirror is not as Old says.
	CommitMirror(ctx context.Context, b *MirrorBatch) error
	// Cosigned returns what others have cosigned.
	Cosigned(ctx context.Context) ([]Cosigned, error)
	// Cosign keeps a cosigned head where it is newer than the one that is there.
	Cosign(ctx context.Context, c Cosigned) error
}

// Statements for mirrors.
const (
	SelectMirrors = `SELECT log, origin, size, root, checkpoint, pending, applied, halted FROM mirrors ORDER BY log`
	InsertMirror  = `INSERT INTO mirrors (log, origin, size, root, checkpoint, pending, applied, halted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`
	// AdvanceMirror takes the new size, root, checkpoint, pending, applied and halted, the number, and
	// what must stand there: size, applied and halted.
	AdvanceMirror       = `UPDATE mirrors SET size = $1, root = $2, checkpoint = $3, pending = $4, applied = $5, halted = $6 WHERE log = $7 AND size = $8 AND applied = $9 AND halted = $10`
	SelectMirrorEntries = `SELECT envelope, disclosure FROM mirror_entries WHERE idx >= $1 AND idx < $2 ORDER BY idx`
	SelectMirrorTile    = `SELECT hashes FROM mirror_tiles WHERE log = $1 AND level = $2 AND idx = $3`
	SelectCosigned      = `SELECT cosigner, size, checkpoint FROM cosigned ORDER BY cosigner`
	InsertCosigned      = `INSERT INTO cosigned (cosigner, size, checkpoint) VALUES ($1, $2, $3) ON CONFLICT (cosigner) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint WHERE excluded.size > cosigned.size`
)

// MirrorIndex is the key of an entry of a mirrored log.
func MirrorIndex(log int64, position uint64) int64 { return log<<48 | int64(position) }
