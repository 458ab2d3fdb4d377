// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"testing"

	"darwaza.dev/internal/problem"
)

func exported(t testing.TB, p *post) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, _, err := p.deps.Record.Export(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func imported(p *post, file []byte) (Imported, error) {
	a, err := OpenArchive(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return Imported{}, err
	}
	return p.deps.Record.Import(context.Background(), a)
}

// TestStick carries both logs by hand: what comes over is what comes over the line, and the
// cosignature goes back with the next stick; files are read twice, late and out of order.
func TestStick(t *testing.T) {
	ctx := context.Background()
	a, b, logs := recorded(t)
	logs[0].open(700)
	logs[0].keep(t, a.deps.Record.Store)
	first := exported(t, a)
	if got, err := imported(b, first); err != nil || got.Stored != 700 || got.Size != 700 || got.Cosigned {
		t.Fatalf("first: %+v, %v", got, err)
	}
	logs[0].whole(t, b.deps.Record.Store, must(b.deps.Record.Store.OpenMirror(ctx, logs[0].signer.Name())))
	// The way back bears the cosignature, so that the next file is only of what is new.
	logs[1].open(5)
	logs[1].keep(t, b.deps.Record.Store)
	if got, err := imported(a, exported(t, b)); err != nil || got.Stored != 5 || !got.Cosigned {
		t.Fatalf("back: %+v, %v", got, err)
	}
	if s := a.records(t); s.Cosigned != 700 {
		t.Errorf("%+v", s)
	}
	logs[0].open(70_000)
	logs[0].keep(t, a.deps.Record.Store)
	second := exported(t, a)
	z := must(zip.NewReader(bytes.NewReader(second), int64(len(second))))
	for _, f := range z.File {
		if f.Name == "log/tile/entries/000" || f.Name == "log/tile/0/001" {
			t.Errorf("the second file has %s once more", f.Name)
		}
	}
	// One who has missed the first is told so and changes nothing.
	_, late, _ := recorded(t)
	if got, err := imported(late, second); problem.KindOf(err) != problem.NotFound && problem.KindOf(err) != problem.Untrusted || got.Stored != 0 || got.Size != 0 {
		t.Errorf("out of order: %+v, %v", got, err)
	}
	for i, file := range [][]byte{second, second, first} {
		want := uint64(0)
		if i == 0 {
			want = 70_000
		}
		if got, err := imported(b, file); err != nil || got.Stored != want || got.Size != 70_700 {
			t.Errorf("file %d: %+v, %v", i, got, err)
		}
	}
	logs[0].whole(t, b.deps.Record.Store, must(b.deps.Record.Store.OpenMirror(ctx, logs[0].signer.Name())))
	// The line goes on where the stick ended.
	logs[0].open(1)
	logs[0].keep(t, a.deps.Record.Store)
	must(0, b.Pull(ctx))
	if s := b.records(t); s.Mirrored != 70_701 {
		t.Errorf("%+v", s)
	}
}

// repack makes a file anew with members changed.
func repack(t testing.TB, file []byte, change func(name string, b []byte) (string, []byte), more ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, b []byte) {
		if f := must(w.Create(name)); b != nil {
			must(f.Write(b))
		}
	}
	for _, f := range must(zip.NewReader(bytes.NewReader(file), int64(len(file)))).File {
		r := must(f.Open())
		name, b := change(f.Name, must(io.ReadAll(r)))
		r.Close()
		if name != "" {
			put(name, b)
		}
	}
	for _, name := range more {
		put(name, nil)
	}
	must(0, w.Close())
	return out.Bytes()
}

// TestHostileStick refuses files that are not what they say, and takes nothing of them.
func TestHostileStick(t *testing.T) {
	a, b, logs := recorded(t)
	logs[0].open(600)
	logs[0].keep(t, a.deps.Record.Store)
	good := exported(t, a)
	same := func(name string, b []byte) (string, []byte) { return name, b }
	on := func(member string, f func(b []byte) []byte) []byte {
		return repack(t, good, func(name string, b []byte) (string, []byte) {
			if name == member {
				b = f(b)
			}
			return name, b
		})
	}
	files := map[string][]byte{
		"nothing":            nil,
		"no zip":             []byte("a letter"),
		"cut off":            good[:len(good)/2],
		"a path that climbs": repack(t, good, same, "../../etc/passwd"),
		"an absolute path":   repack(t, good, same, "/log/checkpoint"),
		"a climbing member":  repack(t, good, same, "log/tile/0/../../x"),
		"a member twice":     repack(t, good, same, "log/checkpoint"),
		"something else":     repack(t, good, same, "setup.exe"),
		"a folder":           repack(t, good, same, "log/"),
		"no head": repack(t, good, func(name string, b []byte) (string, []byte) {
			return map[bool]string{true: "", false: name}[name == "log/checkpoint"], b
		}),
		"an altered head":     on("log/checkpoint", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"an altered entry":    on("log/tile/entries/001", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"altered disclosures": on("log/disclosures/001", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"a bomb":              on("log/tile/entries/001", func([]byte) []byte { return make([]byte, maxBundle+2) }),
		"one's own log":       exported(t, func() *post { logs[1].open(3); logs[1].keep(t, b.deps.Record.Store); return b }()),
	}
	for name, file := range files {
		got, err := imported(b, file)
		if err == nil || problem.KindOf(err) == problem.Internal || problem.KindOf(err) == problem.Offline || got.Stored != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if s := b.records(t); s.Mirrored != 0 || s.Halted != "" {
		t.Errorf("%+v", s)
	}
	if got, err := imported(b, repack(t, good, same)); err != nil || got.Stored != 600 {
		t.Errorf("a file that was only packed anew: %+v, %v", got, err)
	}
}
