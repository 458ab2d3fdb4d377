// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/engine"
)

// keep writes what is new in a log into a store, as the log's owner would.
func (w *writing) keep(t testing.TB, st *store.Store) {
	t.Helper()
	ctx := context.Background()
	eng := st.Engine()
	lease := must(eng.Acquire(ctx, "test", "", 60_000))
	head := must(eng.Head(ctx))
	c := w.head()
	b := &engine.Batch{Epoch: lease.Epoch, OldSize: head.Size, Entries: w.entries[head.Size:],
		Head: engine.Head{Size: c.Size, Root: c.Root[:], Checkpoint: must(w.signer.Sign(c)), Epoch: lease.Epoch}}
	for id, hashes := range w.tiles {
		if id.Level != record.Entries {
			b.Tiles = append(b.Tiles, engine.Tile{Level: id.Level, Index: int64(id.Index), Hashes: hashes})
		}
	}
	must(0, eng.Commit(ctx, b))
}

// recorded are two posts with logs that mirror each other.
func recorded(t testing.TB) (a, b *post, logs [2]*writing) {
	a, b = newPosts(t)
	var keys [2]LogKeys
	for i, name := range [...]string{"darwaza.dev/test/A", "darwaza.dev/test/B"} {
		logs[i] = newWriting(t, name, uint64(40+i))
		keys[i].Mine, keys[1-i].Theirs = logs[i].log, logs[i].log
		keys[i].MyCosigner, keys[1-i].TheirCosigner = cosignerKey("darwaza.dev/test/B/mirror")
	}
	for i, p := range [...]*post{a, b} {
		k := keys[i]
		p.deps.Record = &Record{Store: newStore(t), Keys: func() LogKeys { return k }, Evidence: filepath.Join(t.TempDir(), "evidence"), Clock: p.clock.Now, Log: p.deps.Log}
	}
	return a, b, logs
}

func (p *post) records(t testing.TB) RecordStatus {
	t.Helper()
	s, ok, err := p.RecordStatus(context.Background())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return s
}

// TestRecordOverTheLine has each side mirror, apply and cosign the other's log over HTTPS.
func TestRecordOverTheLine(t *testing.T) {
	ctx := context.Background()
	a, b, logs := recorded(t)
	if err := a.Pull(ctx); err != nil {
		t.Errorf("a log without entries is no fault: %v", err)
	}
	logs[0].open(700)
	logs[0].keep(t, a.deps.Record.Store)
	logs[1].open(10)
	logs[1].keep(t, b.deps.Record.Store)
	must(0, a.Pull(ctx))
	must(0, b.Pull(ctx))
	for i, p := range [...]*post{a, b} {
		theirs := logs[1-i]
		theirs.whole(t, p.deps.Record.Store, must(p.deps.Record.Store.OpenMirror(ctx, theirs.signer.Name())))
		n, m := uint64(len(logs[i].entries)), uint64(len(theirs.entries))
		if s := p.records(t); s != (RecordStatus{Theirs: m, Mirrored: m, Applied: m, Ours: n, Cosigned: n}) {
			t.Errorf("%s: %+v", p.deps.Side, s)
		}
	}
	// What is behind is told while the line is cut, and made good when it is joined.
	logs[0].open(300)
	logs[0].keep(t, a.deps.Record.Store)
	a.Cut(true)
	if err := b.Pull(ctx); problem.KindOf(err) != problem.Offline {
		t.Errorf("over a cut line: %v", err)
	}
	if s := a.records(t); s.Ours != 1000 || s.Cosigned != 700 {
		t.Errorf("while the line is cut: %+v", s)
	}
	a.Cut(false)
	must(0, b.Pull(ctx))
	if s := a.records(t); s.Cosigned != 1000 {
		t.Errorf("after: %+v", s)
	}
}

// TestRecordIsNotForAll reads a log as others would.
func TestRecordIsNotForAll(t *testing.T) {
	ctx := context.Background()
	a, b, logs := recorded(t)
	logs[0].open(3)
	logs[0].keep(t, a.deps.Record.Store)
	get := func(path, authorization string) int {
		req := must(http.NewRequest(http.MethodGet, a.server.URL+path, nil))
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp := must(a.server.Client().Do(req))
		resp.Body.Close()
		return resp.StatusCode
	}
	by := func(p *post, q ask, path string) string {
		body, _ := p.sealed(q, path, testAgreement)
		return authScheme + base64.StdEncoding.EncodeToString(body)
	}
	const head, tile = recordPrefix + "checkpoint", recordPrefix + "tile/0/000.p/3"
	late := b.newAsk()
	late.At -= (Window + time.Minute).Microseconds()
	for name, x := range map[string]struct {
		path, authorization string
		status              int
	}{
		"nobody":              {head, "", 403},
		"a word":              {head, "Bearer " + strings.Repeat("a", 64), 403},
		"rubbish":             {head, authScheme + "AAAA", 403},
		"the side itself":     {head, by(a, a.newAsk(), head), 403},
		"for another path":    {tile, by(b, b.newAsk(), head), 403},
		"of long ago":         {head, by(b, late, head), 403},
		"the other side":      {head, by(b, b.newAsk(), head), 200},
		"a tile":              {tile, by(b, b.newAsk(), tile), 200},
		"a tile that is none": {recordPrefix + "tile/0/001", by(b, b.newAsk(), recordPrefix+"tile/0/001"), 404},
	} {
		if got := get(x.path, x.authorization); got != x.status {
			t.Errorf("%s: status %d, want %d", name, got, x.status)
		}
	}
	// Disclosures that are nobody else's do not come over.
	disclosed := must(line{b.Exchange}.Get(ctx, "disclosures/000.p/3", maxDisclosed))
	if bytes.Contains(disclosed, []byte("nobody else's")) || len(disclosed) != 3*(4+28) {
		t.Errorf("disclosed: %q", disclosed)
	}
}

// TestForkIsShownToBoth lets one side tell another story: both have the evidence at once.
func TestForkIsShownToBoth(t *testing.T) {
	ctx := context.Background()
	a, b, logs := recorded(t)
	logs[0].open(300)
	logs[0].keep(t, a.deps.Record.Store)
	must(0, b.Pull(ctx))
	liar := logs[0].fork(t, 100)
	for i := range 300 {
		liar.add(openedFact(1_000_000 + i))
	}
	a.deps.Record.Store = newStore(t)
	liar.keep(t, a.deps.Record.Store)
	if err := b.Pull(ctx); problem.CodeOf(err) != "exchange.fork" {
		t.Fatalf("got %v", err)
	}
	for whose, p := range map[string]*post{"theirs": b, "ours": a} {
		files := must(filepath.Glob(filepath.Join(p.deps.Record.Evidence, "fork-"+whose+"-*.txt")))
		if len(files) != 1 {
			t.Fatalf("evidence of %s: %q", whose, files)
		}
		if _, _, err := record.OpenFork(must(os.ReadFile(files[0])), logs[0].log); err != nil {
			t.Errorf("evidence of %s: %v", whose, err)
		}
	}
	if s := a.records(t); !s.Accused {
		t.Error("the side whose log has forked does not show it")
	}
	if s := b.records(t); s.Halted != haltFork || s.Mirrored != 300 {
		t.Errorf("%+v", s)
	}
	if err := b.Pull(ctx); problem.CodeOf(err) != "exchange.halted.fork" {
		t.Errorf("once more: %v", err)
	}
	// A person says so; what is told next counts against what is mirrored as before.
	if ok, err := b.deps.Record.Resume(ctx, "O-1"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := must(os.ReadFile(filepath.Join(b.deps.Record.Evidence, "resumed.txt"))); !bytes.Contains(got, []byte(" O-1 fork 300\n")) {
		t.Errorf("resumed: %q", got)
	}
	if err := b.Pull(ctx); problem.CodeOf(err) != "exchange.fork" {
		t.Errorf("the same story: %v", err)
	}
	// Evidence of nothing accuses nobody.
	a, b, logs = recorded(t)
	logs[0].open(5)
	logs[0].keep(t, a.deps.Record.Store)
	if _, err := b.ask(ctx, topicHead, ask{Fork: []byte("darwaza.dev/fork@v1\n")}); err == nil || a.records(t).Accused {
		t.Errorf("an accusation without evidence: %v", err)
	}
	if _, err := b.ask(ctx, topicHead, ask{Note: must(logs[0].Get(ctx, "checkpoint", 0))}); err == nil || a.records(t).Cosigned != 0 {
		t.Errorf("a head that nobody has cosigned: %v", err)
	}
}

// TestOutsideClient reads a side's log with the tools of the Go checksum database alone, as
// any client of C2SP tlog-tiles would: it verifies the signed head, every tile under it, and
// each entry.
func TestOutsideClient(t *testing.T) {
	a, b, logs := recorded(t)
	logs[0].open(70_000) // three levels of tiles
	logs[0].keep(t, a.deps.Record.Store)
	c := outside{t, a, b}
	v := must(note.NewVerifier(logs[0].signer.Verifier()))
	n := must(note.Open(c.get("checkpoint"), note.VerifierList(v)))
	lines := strings.Split(n.Text, "\n")
	root := must(tlog.ParseHash(lines[2]))
	tree := tlog.Tree{N: 70_000, Hash: root}
	if lines[0] != v.Name() || lines[1] != "70000" || len(lines) != 4 {
		t.Fatalf("head %q", n.Text)
	}
	hashes := tlog.TileHashReader(tree, c)
	for _, i := range []int64{0, 255, 256, 65_535, 65_536, 69_999} {
		got := must(hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)}))
		if got[0] != tlog.RecordHash(logs[0].entries[i].Envelope) {
			t.Errorf("leaf %d", i)
		}
		width := min(256, 70_000-i/256*256)
		id := record.TileID{Level: record.Entries, Index: uint64(i / 256), Width: int(width)}
		entries := must(record.ParseBundle(c.get(id.Path()), int(width)))
		if !bytes.Equal(entries[i%256], logs[0].entries[i].Envelope) {
			t.Errorf("entry %d", i)
		}
		proof := must(tlog.ProveRecord(tree.N, i, hashes))
		must(0, tlog.CheckRecord(proof, tree.N, root, i, tlog.RecordHash(entries[i%256])))
	}
}

type outside struct {
	t    *testing.T
	a, b *post
}

func (c outside) get(path string) []byte {
	full := recordPrefix + path
	body, _ := c.b.sealed(c.b.newAsk(), full, testAgreement)
	req := must(http.NewRequest(http.MethodGet, c.a.server.URL+full, nil))
	req.Header.Set("Authorization", authScheme+base64.StdEncoding.EncodeToString(body))
	resp := must(c.a.server.Client().Do(req))
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: status %d", path, resp.StatusCode)
	}
	return must(io.ReadAll(resp.Body))
}

func (c outside) Height() int { return 8 }

// ReadTiles asks for tiles where C2SP tlog-tiles says they are: as the checksum database
// does, without the height in the path.
func (c outside) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		path, ok := strings.CutPrefix(t.Path(), "tile/8/")
		if !ok {
			return nil, errors.New(t.Path())
		}
		out = append(out, c.get("tile/"+path))
	}
	return out, nil
}

func (outside) SaveTiles([]tlog.Tile, [][]byte) {}
