// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

// Auditors read this side's log as C2SP tlog-tiles lays it out, with a token: even
// envelopes tell of movements.

func (s *server) recordCheckpoint(w http.ResponseWriter, r *request) error {
	if s.deps.Record == nil {
		return problem.New(problem.NotFound, "record")
	}
	b, err := s.deps.Record.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	return plain(w, "text/plain; charset=utf-8", b)
}

func (s *server) recordTile(w http.ResponseWriter, r *request) error {
	p := r.PathValue("path")
	if s.deps.Record == nil || len(p) > 100 || strings.Contains(p, "..") {
		return problem.New(problem.NotFound, "record")
	}
	b, err := s.deps.Record.Tile(r.Context(), "tile/"+p)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable") // a tile never changes
	return plain(w, "application/octet-stream", b)
}

func (s *server) recordProof(w http.ResponseWriter, r *request) error {
	n, err := strconv.ParseUint(r.PathValue("index"), 10, 63)
	if err != nil || s.deps.Record == nil {
		return problem.New(problem.NotFound, "record")
	}
	b, err := s.deps.Record.Proof(r.Context(), n)
	if err != nil {
		return err
	}
	return plain(w, "text/plain; charset=utf-8", b)
}

// ownProof is the proof of an entry for the person whose act it records: beside the
// proof, as its extra data, stand the entry's envelope, which is what the log holds, and
// the disclosure behind its digests, as a CBOR array of two byte strings. Whoever has the
// file can show, with no server, what was recorded and that it is in the log. An entry
// whose disclosure does not name the reference is somebody else's, and not found.
func (s *server) ownProof(ctx context.Context, index uint64, ref booking.Ref) ([]byte, error) {
	envelope, disclosure, err := s.deps.Record.Entry(ctx, index)
	if err != nil {
		return nil, err
	}
	if len(ref) != 12 || !bytes.Contains(disclosure, []byte(ref)) {
		return nil, problem.New(problem.NotFound, "record.index")
	}
	text, err := s.deps.Record.Proof(ctx, index)
	if err != nil {
		return nil, err
	}
	p, err := record.ParseProof(text)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "record.proof", err)
	}
	if p.Extra, err = s.codec.Marshal([][]byte{envelope, disclosure}); err != nil {
		return nil, problem.Wrap(problem.Internal, "record.extra", err)
	}
	return p.Text(), nil
}

func plain(w http.ResponseWriter, mime string, b []byte) error {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	return ks
}
