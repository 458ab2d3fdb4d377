// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/exchange"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
)

// OpenRecord opens what a post has of the two sides' logs, while it serves or not: to carry
// them by hand and to prove what is in them. Close the store when done.
func OpenRecord(ctx context.Context, c *Config) (*exchange.Record, *store.Store, error) {
	p := &Post{Config: c, clock: time.Now, log: slog.New(slog.DiscardHandler)}
	var err error
	if p.Keys, err = OpenKeys(c.Keys, c.Side); err != nil {
		return nil, nil, err
	}
	if p.Editions, err = ReadEditions(c.Agreements, p.Keys); err != nil {
		return nil, nil, err
	}
	if p.base, err = base(p.Editions, p.Keys); err != nil {
		return nil, nil, err
	}
	logs, err := p.logKeys()
	if err != nil {
		return nil, nil, err
	}
	if p.store, err = store.Open(ctx, c.Database); err != nil {
		return nil, nil, err
	}
	return &exchange.Record{Store: p.store, Keys: func() exchange.LogKeys { return logs }, Evidence: c.evidence(), Clock: p.clock, Log: p.log}, p.store, nil
}

// Proved is one fact of a side's record as a proof shows it.
type Proved struct {
	Side     agreement.Side // whose record
	Index    uint64
	Kind     string
	At       time.Time
	Groups   []string
	Whole    bool   // nothing of the fact is withheld
	Fact     []byte // JSON of what is disclosed; empty where nothing is, or where this build does not know the kind
	Size     uint64 // of the log under whose head it is
	Cosigned []record.Cosignature
}

// ShowFact returns an entry of a post's own log.
func ShowFact(ctx context.Context, st *store.Store, side agreement.Side, index uint64) (Proved, error) {
	envelope, disclosures, err := st.Entry(ctx, index)
	if err != nil {
		return Proved{}, err
	}
	p, err := opened(envelope, disclosures)
	p.Side, p.Index = side, index
	return p, err
}

func opened(envelope, disclosures []byte) (Proved, error) {
	e, err := record.ParseEntry(envelope)
	if err != nil {
		return Proved{}, err
	}
	p := Proved{Kind: e.Kind, At: e.At}
	for _, g := range e.Groups {
		p.Groups = append(p.Groups, g.Name)
	}
	var body []byte
	if body, p.Whole, err = e.Open(disclosures); err != nil || len(disclosures) == 0 {
		return p, err
	}
	codec := service.NewCodec()
	if _, known := codec.Zero(e.Kind); !known {
		return p, nil
	}
	f, err := codec.Decode(e.Kind, body)
	if err != nil {
		return p, problem.Wrap(problem.Invalid, "record.fact", err)
	}
	p.Fact, err = json.MarshalIndent(f, "", "  ")
	return p, problem.Wrap(problem.Internal, "record.fact", err)
}

// ProveFact returns the proof of an entry of a post's own log as a file (C2SP tlog-proof):
// under the newest head that the other side has cosigned where that covers the entry, else
// under this side's own. Beside it stand the entry and what to may read of it, or with all
// the whole fact, as a CBOR array of two byte strings.
func ProveFact(ctx context.Context, r *exchange.Record, index uint64, to record.Reader, all bool) ([]byte, error) {
	envelope, disclosures, err := r.Store.Entry(ctx, index)
	if err != nil {
		return nil, err
	}
	if !all {
		if disclosures, err = record.Filter(disclosures, to); err != nil {
			return nil, err
		}
	}
	keys := r.Keys()
	note, err := r.Store.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	cosigned, err := r.Store.Cosigned(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range cosigned {
		if keys.TheirCosigner != nil && c.Cosigner == keys.TheirCosigner.Name() && c.Size > index {
			note = c.Checkpoint
		}
	}
	head, err := record.OpenHead(note, keys.Mine)
	if err != nil {
		return nil, err
	}
	hashes, err := record.Prove(index, head.Size, head.Root, r.Store.Tiles(ctx))
	if err != nil {
		return nil, err
	}
	extra := cose.AppendBytes(cose.AppendBytes(cose.AppendArray(nil, 2), envelope), disclosures)
	return record.Proof{Extra: extra, Index: index, Hashes: hashes, Head: note}.Text(), nil
}

// sideKeys are the verifier keys of one side in an edition.
func sideKeys(e *agreement.Edition, side agreement.Side) (log *record.Verifier, cosigners []*record.Verifier, err error) {
	if log, err = record.NewVerifier(e.Parties[side].Keys.Log); err != nil {
		return nil, nil, err
	}
	if key := e.Parties[side.Other()].Keys.Cosigner; key != "" {
		c, err := record.NewVerifier(key)
		if err != nil {
			return nil, nil, err
		}
		cosigners = append(cosigners, c)
	}
	return log, cosigners, nil
}

// CheckProof checks the proof of a fact with the keys of an edition alone, which both sides
// must have signed. It asks no server.
func CheckProof(text []byte, e *agreement.Edition) (Proved, error) {
	if err := agreement.Verify(e); err != nil {
		return Proved{}, problem.Newf(problem.Untrusted, "agreement.signature", "the edition is not signed by both sides, so that its keys prove nothing: %w", err)
	}
	p, err := record.ParseProof(text)
	if err != nil {
		return Proved{}, err
	}
	r := cose.NewStrictReader(p.Extra)
	if r.Array() != 2 {
		r.Fail()
	}
	envelope, disclosures := r.Bytes(), r.Bytes()
	if !r.Done() {
		return Proved{}, problem.Newf(problem.Invalid, "record.extra", "the proof has no entry beside it")
	}
	var last error
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		log, cosigners, err := sideKeys(e, side)
		if err != nil {
			return Proved{}, err
		}
		h, err := p.Verify(envelope, log, cosigners...)
		if err != nil {
			last = err
			continue
		}
		out, err := opened(envelope, disclosures)
		out.Side, out.Index, out.Size, out.Cosigned = side, p.Index, h.Size, h.Cosignatures
		return out, err
	}
	return Proved{}, problem.Newf(problem.Untrusted, "record.proof", "neither side's key of the edition bears this out: %w", last)
}

// CompareFiles compares two files of one side's log, whosever they are, with the keys of an
// edition alone. It returns whose log they are of.
func CompareFiles(ctx context.Context, a, b exchange.Source, e *agreement.Edition) (agreement.Side, exchange.Comparison, error) {
	if err := agreement.Verify(e); err != nil {
		return "", exchange.Comparison{}, problem.Newf(problem.Untrusted, "agreement.signature", "the edition is not signed by both sides, so that its keys prove nothing: %w", err)
	}
	signed, err := a.Get(ctx, "checkpoint", record.MaxCheckpoint)
	if err != nil {
		return "", exchange.Comparison{}, err
	}
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		log, cosigners, err := sideKeys(e, side)
		if err != nil {
			return "", exchange.Comparison{}, err
		}
		if _, err := record.OpenHead(signed, log); err != nil {
			continue
		}
		c, err := exchange.Compare(ctx, a, b, log, cosigners...)
		return side, c, err
	}
	return "", exchange.Comparison{}, problem.Newf(problem.Untrusted, "record.checkpoint", "neither side of the edition has signed the head of the first file")
}

// ResumeMirror lets the mirror of the other side's log go on after it was halted. by is the
// login of the supervisor whose act it is, and word their sign-in word.
func (p *Post) ResumeMirror(ctx context.Context, by, word string) (bool, error) {
	o, err := p.Signed(ctx, by, word)
	if err != nil {
		return false, err
	}
	if !slices.Contains(o.Roles, people.Supervisor) {
		return false, problem.Newf(problem.Forbidden, "officer.role", "%s may not let the mirror go on: it takes a supervisor", by)
	}
	return p.record.Resume(ctx, string(o.ID))
}
