// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"darwaza.dev/internal/problem"
	prooftrust "darwaza.dev/internal/proof/trust"
)

// seenFile is the file beside that of the newest signed head. Both lie outside of what a
// backup brings back: an old copy of the database must not make a post forget them.
const seenFile = "seen.json"

// How often the time is written down, and how far a clock may go back without being doubted:
// clocks are set right by some seconds every day.
const (
	seenEvery = 10 * time.Minute
	seenSlack = 2 * time.Minute
)

// seen is what a post has seen and never goes back behind: the latest time, and the number
// of the list that both sides sign. It is safe for several goroutines.
type seen struct {
	file string

	mu      sync.Mutex // guards what follows
	s       seenState
	written time.Time // the clock that the file has
	issued  time.Time // of the list in use
}

type seenState struct {
	Clock  time.Time `json:"clock"`            // the latest that this post's clock has shown
	List   uint64    `json:"list,omitempty"`   // the highest number of a list of two sides
	SHA256 string    `json:"sha256,omitempty"` // of that list's bytes
}

// openSeen reads the file, or begins one.
func openSeen(file string) (*seen, error) {
	s := &seen{file: file}
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, problem.Wrap(problem.Internal, "post.seen", err)
	case json.Unmarshal(b, &s.s) != nil:
		return nil, problem.Newf(problem.Internal, "post.seen", "%s is damaged: it holds the latest time and the number of the last trusted list that this post has seen. Look that the clock is right and the list the newest, and remove the file", file)
	}
	s.written = s.s.Clock
	return s, nil
}

// tick notes the time.
func (s *seen) tick(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.After(s.s.Clock) {
		return nil
	}
	s.s.Clock = now.UTC()
	if now.Sub(s.written) < seenEvery {
		return nil
	}
	return s.write()
}

// behind reports whether a clock shows a time that has been, or one before the list in use
// was issued.
func (s *seen) behind(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.s.Clock.Add(-seenSlack)) || now.Before(s.issued.Add(-seenSlack))
}

// errOlder is of a list that both sides have signed and replaced since.
var errOlder = errors.New("a list with a higher number, or another with the same, was seen here before: it is not used")

// accept takes a list of two sides into use, unless a later one was. Of one number there is
// one list: a second one is nobody's.
func (s *seen) accept(l *prooftrust.List, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if l.Number < s.s.List || l.Number == s.s.List && s.s.SHA256 != "" && hash != s.s.SHA256 {
		return errOlder
	}
	s.issued = l.At
	if l.Number == s.s.List && hash == s.s.SHA256 {
		return nil
	}
	s.s.List, s.s.SHA256 = l.Number, hash
	return s.write()
}

// write is called with the lock held.
func (s *seen) write() error {
	b, err := json.Marshal(s.s)
	if err != nil {
		return problem.Wrap(problem.Internal, "post.seen", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return problem.Wrap(problem.Internal, "post.seen", err)
	}
	if err := writePrivate(s.file, b); err != nil {
		return err
	}
	s.written = s.s.Clock
	return nil
}
