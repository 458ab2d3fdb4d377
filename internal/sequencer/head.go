// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
)

// A headFile remembers the last head that was signed. It lies outside the database and
// its backups, so that a copy of the database that is older than what was signed can be
// told from the log itself. Two lines of one length are written in turn, so that one of
// them is whole whenever the machine stops:
//
//	<size, 20 digits> <root, hex> <origin>\n
type headFile struct {
	f       *os.File
	last    record.Checkpoint
	turn    int64
	flushed time.Time
}

// lineSize has room for an origin of the greatest length.
const lineSize = 20 + 1 + 64 + 1 + 255 + 1

// flushEvery is how often the file is flushed at most. Losing its last second to a power
// cut lets it be behind the log, which it may.
const flushEvery = time.Second

func openHeadFile(path string) (*headFile, error) {
	if path == "" {
		return &headFile{}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, problem.Wrap(problem.Internal, "head.file", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "head.file", err)
	}
	h := &headFile{f: f}
	if h.last, h.turn, err = readLines(f, path); err != nil {
		f.Close()
		return nil, err
	}
	return h, nil
}

// readLines returns the newer of the two lines, and which line is written next.
func readLines(f *os.File, path string) (last record.Checkpoint, turn int64, err error) {
	var buf [2 * lineSize]byte
	n, err := f.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return last, 0, problem.Wrap(problem.Internal, "head.file", err)
	}
	for line := range int64(2) {
		if c, ok := parseLine(buf[line*lineSize : (line+1)*lineSize]); ok && c.Size >= last.Size {
			last, turn = c, 1-line
		}
	}
	if last.Origin == "" && len(bytes.TrimRight(buf[:n], "\x00")) > 0 {
		return last, 0, problem.Newf(problem.Untrusted, "head.file", "%s cannot be read: if its disk failed, compare the log with the other side's copy before removing the file", path)
	}
	return last, turn, nil
}

func parseLine(b []byte) (c record.Checkpoint, ok bool) {
	line, _, ok := bytes.Cut(b, []byte("\n"))
	f := bytes.Split(line, []byte(" "))
	if !ok || len(f) != 3 || len(f[0]) != 20 || len(f[1]) != 64 || len(f[2]) == 0 {
		return c, false
	}
	if _, err := fmt.Sscanf(string(f[0]), "%020d", &c.Size); err != nil {
		return c, false
	}
	if _, err := hex.Decode(c.Root[:], f[1]); err != nil {
		return c, false
	}
	c.Origin = string(f[2])
	return c, true
}

// check holds the log in the database against what was signed last.
func (h *headFile) check(ctx context.Context, st *store.Store, origin string, size uint64) error {
	if h.last.Origin == "" {
		return nil
	}
	if h.last.Origin != origin {
		return problem.Newf(problem.Conflict, "head.origin", "the file of the last signed head is of the log %q", h.last.Origin)
	}
	root, ok, err := st.Root(ctx, h.last.Size)
	if err != nil {
		return err
	}
	if !ok {
		return problem.Newf(problem.Conflict, "head.behind",
			"the database holds %d entries and this server has signed %d: it is an older copy, and going on would fork the log. "+
				"Put the newer database back, or read the missing entries back from the other side; only where both sides have agreed to lose them, remove %s",
			size, h.last.Size, h.f.Name())
	}
	if root != h.last.Root {
		return problem.Newf(problem.Conflict, "head.fork",
			"the database's log differs, within its first %d entries, from the one that this server has signed: it is another log. "+
				"Put back the database that belongs to %s", h.last.Size, h.f.Name())
	}
	return nil
}

// write remembers a head.
func (h *headFile) write(c record.Checkpoint) error {
	if h.f == nil {
		return nil
	}
	line := make([]byte, 0, lineSize)
	line = fmt.Appendf(line, "%020d %x %s\n", c.Size, c.Root[:], c.Origin)
	if len(line) > lineSize {
		return fmt.Errorf("head file: an origin of %d bytes", len(c.Origin))
	}
	line = append(line, make([]byte, lineSize-len(line))...)
	if _, err := h.f.WriteAt(line, h.turn*lineSize); err != nil {
		return err
	}
	h.last, h.turn = c, 1-h.turn
	if now := time.Now(); now.Sub(h.flushed) >= flushEvery {
		h.flushed = now
		return h.f.Sync()
	}
	return nil
}

func (h *headFile) close() {
	if h.f != nil {
		h.f.Sync()
		h.f.Close()
	}
}

// ReadHead reads a head file without opening it for writing: what this server last
// signed. It is false where the file is empty.
func ReadHead(path string) (record.Checkpoint, bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return record.Checkpoint{}, false, problem.Wrap(problem.Internal, "head.file", err)
	}
	defer f.Close()
	last, _, err := readLines(f, path)
	return last, last.Origin != "", err
}
