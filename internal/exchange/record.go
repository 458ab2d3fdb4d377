// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// recordPrefix is where the log is read: checkpoint, tile/… and disclosures/… lie under it.
// Each GET bears, as "Authorization: Exchange <base64>", an ask that is good for its path.
// What is answered needs no signature: the head is signed, and all else is under its root.
const recordPrefix = Prefix + "record/"

// authScheme is that of the header.
const authScheme = "Exchange "

// codeEmpty says that the other side has recorded nothing yet.
const codeEmpty = "record.empty"

// LogKeys are the keys of the two sides' logs, as the edition has them.
type LogKeys struct {
	Mine, Theirs *record.Verifier
	// MyCosigner cosigns the other side's log, and TheirCosigner is who cosigns this side's;
	// nil where the edition names none.
	MyCosigner    *record.Signer
	TheirCosigner *record.Verifier
}

// Record is the part of the exchange that mirrors the two sides' logs.
type Record struct {
	Store *store.Store
	Keys  func() LogKeys
	// Evidence is the folder in which evidence of a forked log is kept.
	Evidence string
	Clock    func() time.Time
	Log      *slog.Logger
}

// RecordStatus is how the two logs stand, for pages.
type RecordStatus struct {
	// Theirs is how long the other side's log is as last heard, Mirrored how much of it is
	// stored here, verified, and Applied how much of that has been applied.
	Theirs, Mirrored, Applied uint64
	// Halted is why nothing more is taken of it until a person says so; empty where it is.
	Halted string
	// Ours is how long this side's log is, and Cosigned how much the other side has stored
	// and cosigned.
	Ours, Cosigned uint64
	// Accused is true where the other side has shown that this side's own log has forked.
	Accused bool
	// Fault is the last reason why nothing could be taken, a word for operators.
	Fault string
}

// RecordStatus reads how the two logs stand. It is false where no record is exchanged.
func (x *Exchange) RecordStatus(ctx context.Context) (RecordStatus, bool, error) {
	r := x.deps.Record
	if r == nil {
		return RecordStatus{}, false, nil
	}
	x.mu.Lock()
	s := RecordStatus{Theirs: x.theirSize, Accused: x.accused}
	for _, t := range x.status.Topics {
		if t.Name == topicRecord {
			s.Fault = t.Fault
		}
	}
	x.mu.Unlock()
	accused, err := r.Accused() // also what was shown before a restart
	if err != nil {
		return s, true, err
	}
	s.Accused = s.Accused || len(accused) > 0
	keys := r.Keys()
	list, err := r.Store.Mirrors(ctx)
	if err != nil {
		return s, true, err
	}
	for _, m := range list {
		if keys.Theirs != nil && m.Origin == keys.Theirs.Name() {
			s.Mirrored, s.Applied, s.Halted = m.Size, m.Applied, m.Halted
		}
	}
	s.Theirs = max(s.Theirs, s.Mirrored)
	if s.Ours, err = r.Store.Size(ctx); err != nil {
		return s, true, err
	}
	cosigned, err := r.Store.Cosigned(ctx)
	for _, c := range cosigned {
		if keys.TheirCosigner != nil && c.Cosigner == keys.TheirCosigner.Name() {
			s.Cosigned = c.Size
		}
	}
	return s, true, err
}

// pullRecord mirrors what is new in the other side's log, applies it, and sends back the
// cosignature.
func (x *Exchange) pullRecord(ctx context.Context) error {
	r := x.deps.Record
	if r == nil {
		return nil
	}
	keys := r.Keys()
	if keys.Theirs == nil {
		return problem.New(problem.NotFound, "exchange.log")
	}
	m, err := r.Store.OpenMirror(ctx, keys.Theirs.Name())
	if err != nil {
		return err
	}
	f := r.follower(m)
	f.Live, f.Step = true, x.deps.Step
	f.Keep = func(ev record.Fork) error {
		if err := r.keepFork("theirs", ev); err != nil {
			return err
		}
		// Both are to see it at once. That the other side cannot be told stops nothing.
		if _, err := x.ask(ctx, topicHead, ask{Fork: ev.Text()}); err != nil {
			x.deps.Log.Warn("exchange: the other side was not told that its log has forked", "err", why(err))
		}
		return nil
	}
	_, err = f.Follow(ctx, line{x})
	if problem.CodeOf(err) == codeEmpty {
		return nil
	}
	if err != nil {
		if !offline(err) && problem.CodeOf(err) != codeOlder && !strings.HasPrefix(problem.CodeOf(err), "exchange.halted.") {
			x.refuse(topicRecord, false, why(err))
		}
		if problem.KindOf(err) == problem.Untrusted || problem.KindOf(err) == problem.Conflict || problem.KindOf(err) == problem.Forbidden {
			return err // nothing of it is applied or cosigned
		}
	}
	if _, fault := m.Apply(ctx); fault != nil {
		x.refuse(topicRecord, false, why(fault))
		err = errors.Join(err, fault)
	}
	if err != nil {
		return err
	}
	return x.giveCosignature(ctx, m.At().Checkpoint, keys)
}

func (r *Record) follower(m *store.Mirror) *Follower {
	keys := r.Keys()
	return &Follower{Mirror: m, Log: keys.Theirs, Cosigner: keys.MyCosigner, Clock: r.Clock,
		Keep: func(f record.Fork) error { return r.keepFork("theirs", f) }}
}

// giveCosignature tells the other side what this side has cosigned, where it is news.
func (x *Exchange) giveCosignature(ctx context.Context, note []byte, keys LogKeys) error {
	x.mu.Lock()
	given := x.given
	x.mu.Unlock()
	if keys.MyCosigner == nil || len(note) == 0 || bytes.Equal(given, note) {
		return nil
	}
	if _, err := x.ask(ctx, topicHead, ask{Note: note}); err != nil {
		return err
	}
	x.mu.Lock()
	x.given = note
	x.mu.Unlock()
	return nil
}

// giveHead takes a cosignature of this side's log, or evidence that it has forked.
func (x *Exchange) giveHead(ctx context.Context, q ask, _ *answer) string {
	r := x.deps.Record
	if r == nil {
		return refusedForm
	}
	keys := r.Keys()
	if len(q.Fork) > 0 {
		f, err := record.ParseFork(q.Fork)
		if err == nil {
			_, _, err = record.OpenFork(q.Fork, keys.Mine)
		}
		if err != nil {
			return refusedForm
		}
		if err := r.keepFork("ours", f); err != nil {
			x.deps.Log.Error("exchange: evidence", "err", err)
			return refusedFault
		}
		x.mu.Lock()
		x.accused = true
		x.mu.Unlock()
		x.deps.Log.Error("exchange: this side's own log has forked: the other side takes nothing more of it until a person there says so")
		return ""
	}
	if err := r.TakeCosignature(ctx, q.Note); err != nil {
		x.deps.Log.Warn("exchange: a cosignature was refused", "err", why(err))
		return refusedForm
	}
	return ""
}

// TakeCosignature verifies and keeps a head of this side's log that the other side has
// cosigned.
func (r *Record) TakeCosignature(ctx context.Context, note []byte) error {
	keys := r.Keys()
	if keys.TheirCosigner == nil {
		return problem.New(problem.NotFound, "exchange.cosigner")
	}
	h, err := record.OpenHead(note, keys.Mine, keys.TheirCosigner)
	if err != nil {
		return err
	}
	if len(h.Cosignatures) == 0 {
		return problem.New(problem.Untrusted, "exchange.cosignature")
	}
	root, ok, err := r.Store.Root(ctx, h.Size)
	switch {
	case err != nil:
		return err
	case !ok:
		return problem.New(problem.Conflict, "exchange.ahead") // signed here and not remembered
	case root != h.Root:
		return problem.New(problem.Conflict, "exchange.fork")
	}
	return r.Store.Cosign(ctx, engine.Cosigned{Cosigner: keys.TheirCosigner.Name(), Size: h.Size, Checkpoint: h.Note})
}

// keepFork writes evidence into a file of its own, once.
func (r *Record) keepFork(whose string, f record.Fork) error {
	text := f.Text()
	digest := sha256.Sum256(text)
	name := filepath.Join(r.Evidence, fmt.Sprintf("fork-%s-%x.txt", whose, digest[:8]))
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if err := os.MkdirAll(r.Evidence, 0o700); err != nil {
		return problem.Wrap(problem.Internal, "exchange.evidence", err)
	}
	temp := name + ".new"
	err := os.WriteFile(temp, text, 0o600)
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		return problem.Wrap(problem.Internal, "exchange.evidence", err)
	}
	r.Log.Error("exchange: a log has forked; the evidence is kept", "whose", whose, "file", name)
	return nil
}

// Accused returns the files of evidence that this side's own log has forked.
func (r *Record) Accused() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(r.Evidence, "fork-ours-*.txt"))
	return names, problem.Wrap(problem.Internal, "exchange.evidence", err)
}

// Resume lets the mirror of the other side's log go on after it was halted, as the act of
// the person that by names, who is written down beside the evidence. The mirror stays as it
// is: where the other log has not become its continuation again, it halts again.
func (r *Record) Resume(ctx context.Context, by string) (bool, error) {
	m, err := r.Store.OpenMirror(ctx, r.Keys().Theirs.Name())
	if err != nil || m.At().Halted == "" {
		return false, err
	}
	if err := os.MkdirAll(r.Evidence, 0o700); err != nil {
		return false, problem.Wrap(problem.Internal, "exchange.evidence", err)
	}
	f, err := os.OpenFile(filepath.Join(r.Evidence, "resumed.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "%s %s %s %d\n", r.Clock().UTC().Format(time.RFC3339), by, m.At().Halted, m.At().Size)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return false, problem.Wrap(problem.Internal, "exchange.evidence", err)
	}
	return true, m.Halt(ctx, "")
}

// line is the other side's log as its server shows it.
type line struct{ x *Exchange }

// Get asks for a path.
func (l line) Get(ctx context.Context, path string, limit int64) ([]byte, error) {
	x := l.x
	if x.cut.Load() {
		return nil, problem.New(problem.Offline, "exchange.cut")
	}
	full := recordPrefix + path
	q := ask{Version: Version, At: micro(x.deps.Clock())}
	if _, err := io.ReadFull(x.deps.Rand, q.Nonce[:]); err != nil {
		return nil, problem.Wrap(problem.Internal, "exchange.rand", err)
	}
	body, _, err := x.seal(q, externalAsk(full, x.deps.Agreement, x.side))
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "exchange.sign", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.peer.String()+full, nil)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "exchange.address", err)
	}
	req.Header.Set("Authorization", authScheme+base64.StdEncoding.EncodeToString(body))
	resp, err := x.client.Do(req)
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "exchange.offline", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden:
		return nil, problem.New(problem.Forbidden, "exchange.forbidden")
	case http.StatusNotFound:
		if path == "checkpoint" && resp.Header.Get("Darwaza-Log") == "" {
			return nil, problem.New(problem.NotFound, codeOlder)
		}
		return nil, problem.New(problem.NotFound, map[bool]string{true: codeEmpty, false: "record.tile"}[path == "checkpoint"])
	default:
		return nil, problem.Newf(problem.Offline, "exchange.offline", "status %d", resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, problem.Wrap(problem.Offline, "exchange.offline", err)
	}
	if int64(len(b)) > limit {
		return nil, problem.New(problem.Untrusted, "exchange.size")
	}
	if path == "checkpoint" {
		// Not believed before it is verified; it only says how far there is to go.
		if h, err := record.OpenHead(b, x.deps.Record.Keys().Theirs); err == nil {
			x.mu.Lock()
			x.theirSize = h.Size
			x.mu.Unlock()
		}
	}
	return b, nil
}

// serveRecord answers the other side's reads of this side's log.
func (x *Exchange) serveRecord(w http.ResponseWriter, r *http.Request) {
	if x.cut.Load() {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	bare := func(why string) {
		x.refuse(topicRecord, true, why)
		http.Error(w, "forbidden", http.StatusForbidden)
	}
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), authScheme)
	body, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		bare("authorization")
		return
	}
	var q ask
	_, err = x.open(body, func([]byte) []byte { return externalAsk(r.URL.Path, x.deps.Agreement, x.side.Other()) }, &q)
	if err != nil {
		bare(why(err))
		return
	}
	// To read twice changes nothing, so that a nonce need not be remembered.
	if skew := fromMicro(q.At).Sub(x.deps.Clock()); skew > Window || skew < -Window || q.Version < 1 || q.Version > Version+1 {
		bare(refusedClock)
		return
	}
	w.Header().Set("Darwaza-Log", "1") // tells a log without entries from a server without a log
	b, err := own{x.deps.Record.Store, record.OtherSide}.Get(r.Context(), strings.TrimPrefix(r.URL.Path, recordPrefix), 0)
	switch {
	case problem.KindOf(err) == problem.NotFound && err != nil:
		http.Error(w, "not found", http.StatusNotFound)
		return
	case err != nil:
		x.deps.Log.Error("exchange: record", "err", err)
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	x.mu.Lock()
	x.status.Served = x.deps.Clock()
	x.mu.Unlock()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b)
}

// own is this side's log as a reader may have it.
type own struct {
	st *store.Store
	to record.Reader
}

// Get returns what lies under a path. What is this side's own has no need of a limit.
func (o own) Get(ctx context.Context, path string, _ int64) ([]byte, error) {
	if path == "checkpoint" {
		return o.st.Checkpoint(ctx)
	}
	if rest, ok := strings.CutPrefix(path, "disclosures/"); ok {
		id, err := record.ParseTilePath("tile/entries/" + rest)
		if err != nil {
			return nil, err
		}
		return o.st.Disclosures(ctx, id, o.to)
	}
	return o.st.Tile(ctx, path)
}
