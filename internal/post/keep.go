// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/store"
)

// Names in a backup's folder.
const (
	backupDatabase = "post.db"
	backupNote     = "backup.json"
	backupKeys     = "keys"
)

// Backup is what a backup says of itself.
type Backup struct {
	Side  agreement.Side `json:"side"`
	At    time.Time      `json:"at"`
	Log   string         `json:"log"`  // verifier key of the log
	Size  uint64         `json:"size"` // entries of the log
	Root  string         `json:"root,omitempty"`
	Keys  bool           `json:"keys"` // private keys are in it
	Notes string         `json:"notes"`
}

// sqlitePath returns the file of a configuration's database, and false for PostgreSQL.
func sqlitePath(c *Config) (string, bool) {
	if path, ok := strings.CutPrefix(c.Database, "sqlite://"); ok {
		return path, true
	}
	return c.Database, !strings.Contains(c.Database, "://")
}

// MakeBackup copies a post's database as it stands at one moment, with its configuration,
// agreements and certificates, into a new folder; private keys only where they are asked
// for, and the vault never.
func MakeBackup(ctx context.Context, c *Config, file, to string, withKeys bool, now time.Time) (*Backup, error) {
	path, ok := sqlitePath(c)
	if !ok {
		return nil, problem.Newf(problem.Invalid, "backup.database", "the database is PostgreSQL: copy it by its own tools, such as pg_dump; configuration, agreements and keys are ordinary files")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, problem.Newf(problem.NotFound, "backup.database", "there is no database %s (%w)", path, err)
	}
	keys, err := OpenKeys(c.Keys, c.Side)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, problem.Newf(problem.Conflict, "backup.folder", "%s exists already; a backup is a new folder", to)
		}
		return nil, problem.Wrap(problem.Internal, "backup.folder", err)
	}
	st, err := store.Open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	if err := st.Backup(ctx, filepath.Join(to, backupDatabase)); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Join(to, backupDatabase), 0o600); err != nil {
		return nil, problem.Wrap(problem.Internal, "backup.mode", err)
	}
	b := &Backup{Side: c.Side, At: now.UTC().Truncate(time.Second), Log: keys.Log.Verifier(), Keys: withKeys,
		Notes: "The vault is not in this folder: without it the sealed data of people stay shut."}
	if b.Size, b.Root, err = sizeOf(ctx, filepath.Join(to, backupDatabase)); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "backup.config", err)
	}
	if err := writePrivate(filepath.Join(to, ConfigFile), text); err != nil {
		return nil, err
	}
	for i, dir := range c.Agreements {
		if err := os.CopyFS(filepath.Join(to, "agreements", fmt.Sprintf("%d-%s", i+1, filepath.Base(dir))), os.DirFS(dir)); err != nil {
			return nil, problem.Wrap(problem.Internal, "backup.agreement", err)
		}
	}
	if err := os.CopyFS(filepath.Join(to, certificatesPath), os.DirFS(filepath.Join(c.Keys, certificatesPath))); err != nil {
		return nil, problem.Wrap(problem.Internal, "backup.certificates", err)
	}
	if withKeys {
		if err := copyKeys(c.Keys, filepath.Join(to, backupKeys)); err != nil {
			return nil, err
		}
	}
	note, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "backup.note", err)
	}
	// The note last: a folder that has one is a whole backup.
	return b, writePrivate(filepath.Join(to, backupNote), append(note, '\n'))
}

// sizeOf opens the copy of a database and says how long its log is.
func sizeOf(ctx context.Context, path string) (size uint64, root string, err error) {
	st, err := store.Open(ctx, path)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if size, err = st.Size(ctx); err != nil || size == 0 {
		return size, "", err
	}
	r, _, err := st.Root(ctx, size)
	return size, fmt.Sprintf("%x", r[:]), err
}

// copyKeys copies the private keys, readable by nobody else.
func copyKeys(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return problem.Wrap(problem.Internal, "backup.keys", err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return problem.Wrap(problem.Internal, "backup.keys", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return problem.Wrap(problem.Internal, "backup.keys", err)
		}
		if err := writePrivate(filepath.Join(to, e.Name()), b); err != nil {
			return err
		}
	}
	return nil
}

// Restored says what a restore did.
type Restored struct {
	Backup Backup
	Lost   uint64 // entries that the post had signed and the backup does not hold
	Head   string // where the old head file lies now, where something was lost
	Vault  bool   // the vault is where the configuration says
}

// Restore puts a backup's database in the place of a lost one. It writes over nothing,
// and where the post had signed more than the backup holds it refuses until the loss is
// accepted: the log would fork.
func Restore(ctx context.Context, c *Config, from string, accept bool, now time.Time) (*Restored, error) {
	path, ok := sqlitePath(c)
	if !ok {
		return nil, problem.Newf(problem.Invalid, "restore.database", "the database is PostgreSQL: restore it by its own tools")
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if _, err := os.Lstat(path + suffix); err == nil {
			return nil, problem.Newf(problem.Conflict, "restore.living", "%s is there: restore writes over nothing. Stop the server and move the damaged database (with its -wal and -shm) aside first", path+suffix)
		}
	}
	text, err := os.ReadFile(filepath.Join(from, backupNote))
	if err != nil {
		return nil, problem.Newf(problem.NotFound, "restore.folder", "%s is no whole backup: %w", from, err)
	}
	r := &Restored{}
	if err := json.Unmarshal(text, &r.Backup); err != nil {
		return nil, problem.Newf(problem.Invalid, "restore.note", "%s cannot be read: %w", filepath.Join(from, backupNote), err)
	}
	keys, err := OpenKeys(c.Keys, c.Side)
	if err != nil {
		return nil, err
	}
	if r.Backup.Side != c.Side || r.Backup.Log != keys.Log.Verifier() {
		return nil, problem.Newf(problem.Conflict, "restore.other", "this is a backup of another post (%s) than the one whose keys lie in %s (%s)", r.Backup.Log, c.Keys, keys.Log.Verifier())
	}
	temp := path + ".restoring"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, problem.Wrap(problem.Internal, "restore.folder", err)
	}
	if err := copyFile(filepath.Join(from, backupDatabase), temp); err != nil {
		return nil, err
	}
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			os.Remove(temp + suffix)
		}
	}()
	// The copy is checked whole before it takes the place of anything.
	st, err := store.Open(ctx, temp)
	if err != nil {
		return nil, err
	}
	verifier, err := record.NewVerifier(keys.Log.Verifier())
	if err == nil {
		_, err = st.Verify(ctx, verifier)
	}
	var signed uint64
	if err == nil {
		signed, err = signedSize(ctx, c.Head, st)
	}
	if err = errors.Join(err, st.Close()); err != nil {
		return nil, problem.Newf(problem.KindOf(err), "restore.copy", "the backup cannot be used: %w", err)
	}
	if signed > r.Backup.Size {
		r.Lost = signed - r.Backup.Size
		if !accept {
			return nil, problem.Newf(problem.Conflict, "restore.stale",
				"the backup of %s holds %d entries and this post has signed at least %d: %d acts after it (bookings, scans, purchases, decisions) are not in it. "+
					"Look for a newer copy of the database first, and ask the other side what it has heard (withdrawn passes, figures). Passes sold since would be unknown here, so no place would be sold until a supervisor opens the sales again. "+
					"Only where both sides accept that: restore again with --accept",
				r.Backup.At.Format(time.RFC3339), r.Backup.Size, signed, r.Lost)
		}
		r.Head = fmt.Sprintf("%s.before-%s", c.Head, now.UTC().Format("20060102T150405Z"))
		if err := os.Rename(c.Head, r.Head); err != nil {
			return nil, problem.Wrap(problem.Internal, "restore.head", err)
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return nil, problem.Wrap(problem.Internal, "restore.rename", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, problem.Wrap(problem.Internal, "restore.rename", err)
	}
	if entries, err := os.ReadDir(c.Vault); err == nil && len(entries) > 0 {
		r.Vault = true
	}
	return r, nil
}

// signedSize returns how long the log was that this post last signed, by its head file:
// 0 where there is none. A head of the same length or a shorter one that is not the
// backup's is a problem.
func signedSize(ctx context.Context, head string, st *store.Store) (uint64, error) {
	if _, err := os.Stat(head); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	last, ok, err := sequencer.ReadHead(head)
	if err != nil || !ok {
		return 0, err
	}
	root, ok, err := st.Root(ctx, last.Size)
	if err != nil || !ok {
		return last.Size, err
	}
	if root != last.Root {
		return 0, problem.Newf(problem.Conflict, "restore.fork", "its log is not the one that this post has signed: it forks within the first %d entries", last.Size)
	}
	return last.Size, nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return problem.Wrap(problem.NotFound, "file.copy", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return problem.Wrap(problem.Internal, "file.copy", err)
	}
	defer func() {
		err = problem.Wrap(problem.Internal, "file.copy", errors.Join(err, out.Close()))
	}()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

// Tell says what was restored, what is lost, and what is to be done.
func (r *Restored) Tell(w io.Writer) {
	fmt.Fprintf(w, "The database of the backup of %s is in place: %d entries, checked.\n", r.Backup.At.Format(time.RFC3339), r.Backup.Size)
	if r.Lost > 0 {
		fmt.Fprintf(w, "%d acts that this post had signed are lost. The record from here on differs from what was signed; the old head is kept in\n  %s\nWrite down when and why, and tell the other side: its auditors will see two heads.\n", r.Lost, r.Head)
		fmt.Fprintln(w, "Places that were sold since the backup are unknown. Passes let people in, but no place is sold until a supervisor has looked for them and opens each site's sales, on the page of its day or with darwaza sales open.")
	} else {
		fmt.Fprintln(w, "Nothing that this post is known to have signed is missing from it.")
	}
	if !r.Vault {
		fmt.Fprintln(w, "The vault is not there: sealed names, documents and phone numbers stay shut.")
	}
	fmt.Fprintln(w, "Start the server, then run: darwaza record check")
}

// CheckRecord checks a post's whole record and its state, while it serves or not.
func CheckRecord(ctx context.Context, c *Config) (store.Report, error) {
	keys, err := OpenKeys(c.Keys, c.Side)
	if err != nil {
		return store.Report{}, err
	}
	verifier, err := record.NewVerifier(keys.Log.Verifier())
	if err != nil {
		return store.Report{}, err
	}
	if path, ok := sqlitePath(c); ok {
		if _, err := os.Stat(path); err != nil {
			return store.Report{}, problem.Newf(problem.NotFound, "record.database", "there is no database %s (%w)", path, err)
		}
	}
	st, err := store.Open(ctx, c.Database)
	if err != nil {
		return store.Report{}, err
	}
	defer st.Close()
	return st.Verify(ctx, verifier)
}
