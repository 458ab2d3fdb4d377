// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package engine

// Statements in the subset that both databases understand. What differs (arrays, many
// rows in one statement, the clock) is with each engine.
const (
	SelectHead   = `SELECT size, root, checkpoint, epoch, last_at FROM head WHERE id = 1`
	SelectLease  = `SELECT owner, address, epoch FROM lease WHERE id = 1`
	SelectTile   = `SELECT hashes FROM tiles WHERE level = $1 AND idx = $2`
	SelectSecret = `SELECT value FROM secrets WHERE name = $1`
	// SelectEntries takes the first position and the one after the last.
	SelectEntries = `SELECT envelope, disclosure FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx`
	InsertSecret  = `INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
	// TakeLease takes owner, address, now, expiry and whether to take it from a living owner.
	TakeLease = `UPDATE lease SET owner = $1, address = $2, epoch = epoch + 1, expiry = $4 WHERE id = 1 AND (expiry <= $3 OR owner = $1 OR $5 = 1) RETURNING epoch`
	// RenewLease takes owner, epoch and expiry; an expiry of 0 lets go.
	RenewLease = `UPDATE lease SET expiry = $3 WHERE id = 1 AND owner = $1 AND epoch = $2`
	// Fence makes every batch of an older lease fail.
	Fence = `UPDATE head SET epoch = $1 WHERE id = 1`
	// Advance moves the head, where it is still where the writer believes and still the writer's.
	Advance = `UPDATE head SET size = $1, root = $2, checkpoint = $3, last_at = $4 WHERE id = 1 AND size = $5 AND epoch = $6`
)

// SafeTable reports whether a name may stand in a statement: lower-case letters,
// digits after the first, and low lines.
func SafeTable(name string) bool {
	for i, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || i > 0 && (c == '_' || c >= '0' && c <= '9') {
			continue
		}
		return false
	}
	return name != "" && len(name) <= 40
}
