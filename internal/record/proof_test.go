// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"darwaza.dev/internal/problem"
)

// repeat is a source of one byte, for keys in tests.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func testLog(t testing.TB, n int) (*Tree, shelf, [][]byte) {
	t.Helper()
	tree, s, es := &Tree{}, shelf{}, many(n, 7)
	s.put(must(tree.Append(es)))
	return tree, s, es
}

// TestProofs proves entries and earlier trees from tiles, checks them, and wants
// every altered proof to fail.
func TestProofs(t *testing.T) {
	tree, s, es := testLog(t, 70_000)
	size, root := tree.Size(), tree.Root()
	roots := map[uint64]Hash{}
	again := &Tree{}
	for _, e := range es {
		must(again.Append([][]byte{e}))
		if n := again.Size(); n < 600 || n%4999 == 0 {
			roots[n] = again.Root()
		}
	}
	roots[size] = root
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Uint64Range(0, size-1).Draw(t, "index")
		p, err := Prove(i, size, root, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyInclusion(p, i, size, root, es[i]); err != nil {
			t.Fatal(err)
		}
		if VerifyInclusion(p, i, size, root, es[(i+1)%size]) == nil || VerifyInclusion(p, (i+1)%size, size, root, es[i]) == nil ||
			VerifyInclusion(p[1:], i, size, root, es[i]) == nil || VerifyInclusion(p, i, size*2, root, es[i]) == nil {
			t.Fatal("an altered claim holds")
		}
		p[rapid.IntRange(0, len(p)-1).Draw(t, "hash")][3] ^= 1
		if VerifyInclusion(p, i, size, root, es[i]) == nil {
			t.Fatal("an altered proof holds")
		}
	})
	for old, oldRoot := range roots {
		p, err := ProveConsistency(old, size, root, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyConsistency(p, old, oldRoot, size, root); err != nil {
			t.Fatalf("%d: %v", old, err)
		}
		oldRoot[0] ^= 1
		if VerifyConsistency(p, old, oldRoot, size, root) == nil {
			t.Fatalf("%d: another past holds", old)
		}
	}
	// An earlier head is proved from the tiles of today.
	if p, err := Prove(299, 512, roots[512], s); err != nil || VerifyInclusion(p, 299, 512, roots[512], es[299]) != nil {
		t.Errorf("under an earlier head: %v", err)
	}
	other := root
	other[0] ^= 1
	if _, err := Prove(1, size, other, s); err == nil {
		t.Error("tiles prove another root")
	}
	for _, f := range []func() error{
		func() error { _, err := Prove(size, size, root, s); return err },
		func() error { _, err := Prove(0, 0, root, s); return err },
		func() error { _, err := Prove(0, maxIndex, root, s); return err },
		func() error { _, err := ProveConsistency(0, size, root, s); return err },
		func() error { _, err := ProveConsistency(size+1, size, root, s); return err },
		func() error { return VerifyInclusion(nil, 1<<63, 1<<63+1, root, nil) },
		func() error { return VerifyConsistency(nil, 0, root, size, root) },
	} {
		if f() == nil {
			t.Error("outside of the tree, and no problem")
		}
	}
}

// TestCheckpointKnown reads the example of tlog-checkpoint.
func TestCheckpointKnown(t *testing.T) {
	const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	c, err := ParseCheckpoint(text)
	if err != nil || c.Origin != "example.com/behind-the-sofa" || c.Size != 20852163 || c.Text() != text {
		t.Errorf("got %+v, %v", c, err)
	}
	root := "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	for _, bad := range []string{
		"", "\n", "a\n1\n", "a\n1\n" + root, "\n1\n" + root + "\n", "a b\n1\n" + root + "\n", "a+b\n1\n" + root + "\n", "a\n01\n" + root + "\n",
		"a\n-1\n" + root + "\n", "a\n+1\n" + root + "\n", "a\n1\n" + root + "\nextension\n", "a\n1\nAAAA\n", "a\n99999999999999999999\n" + root + "\n",
		"a\n9223372036854775807\n" + root + "\n", "a\r\n1\n" + root + "\n", "a\n1\n" + strings.TrimSuffix(root, "=") + "\n",
		"a\n1\n" + root[:42] + "J=\n", // bits left over
	} {
		if c, err := ParseCheckpoint(bad); problem.KindOf(err) != problem.Invalid || err == nil {
			t.Errorf("%q: got %+v, %v", bad, c, err)
		}
	}
}

// TestSignersAgainstNote holds our keys and notes against x/mod's package note, in
// both directions.
func TestSignersAgainstNote(t *testing.T) {
	s := must(GenerateSigner("a.example/log", repeat(7)))
	theirs := must(note.NewSigner(s.Secret()))
	theirVerifier := must(note.NewVerifier(s.Verifier()))
	c := Checkpoint{"a.example/log", 3, Hash{1}}
	ours := must(s.Sign(c))
	if want := must(note.Sign(&note.Note{Text: c.Text()}, theirs)); !bytes.Equal(ours, want) {
		t.Errorf("got\n%s\nwant\n%s", ours, want)
	}
	if n, err := note.Open(ours, note.VerifierList(theirVerifier)); err != nil || n.Text != c.Text() {
		t.Errorf("x/mod: %v", err)
	}
	v := must(NewVerifier(s.Verifier()))
	if h, err := OpenHead(ours, v); err != nil || h.Checkpoint != c || !bytes.Equal(h.Note, ours) {
		t.Errorf("got %+v, %v", h, err)
	}
	if back := must(NewSigner(s.Secret() + "\n")); back.Verifier() != s.Verifier() || back.Secret() != s.Secret() {
		t.Error("the secret does not come back")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != s.Verifier() {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestKeysRefused(t *testing.T) {
	s := must(GenerateSigner("a.example/log", repeat(7)))
	for _, bad := range []string{
		"", "+", "a", "a+b+c", s.Verifier()[1:], strings.Replace(s.Verifier(), "a.", "b.", 1), s.Verifier()[:len(s.Verifier())-4], s.Secret(),
		"a b+00000000+AAAA", strings.ToUpper(s.Verifier()),
	} {
		if v, err := NewVerifier(bad); err == nil {
			t.Errorf("%q: verifier %v", bad, v)
		}
	}
	for _, bad := range []string{"", "PRIVATE+KEY+", s.Verifier(), strings.Replace(s.Secret(), "a.", "b.", 1), s.Secret()[:len(s.Secret())-4]} {
		if v, err := NewSigner(bad); err == nil {
			t.Errorf("%q: signer %v", bad, v)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "\xff", strings.Repeat("x", 256)} {
		if s, err := GenerateSigner(name, repeat(1)); err == nil {
			t.Errorf("%q: %v", name, s)
		}
	}
	if _, err := GenerateSigner("x", bytes.NewReader(nil)); err == nil {
		t.Error("a key of nothing")
	}
	if _, err := s.Sign(Checkpoint{Origin: "another.example/log"}); err == nil {
		t.Error("signs for another log")
	}
	if _, err := s.Cosign("x\n", time.Unix(1, 0)); err == nil {
		t.Error("a log key cosigns")
	}
	w := must(GenerateCosigner("b.example", repeat(8)))
	if _, err := w.Sign(Checkpoint{Origin: "b.example"}); err == nil {
		t.Error("a cosigner signs heads")
	}
}

func TestOpenHead(t *testing.T) {
	log, wit, stranger := must(GenerateSigner("a.example/log", repeat(1))), must(GenerateCosigner("b.example/mirror", repeat(2))), must(GenerateSigner("a.example/log", repeat(3)))
	v, w := must(NewVerifier(log.Verifier())), must(NewVerifier(wit.Verifier()))
	c := Checkpoint{"a.example/log", 9, Hash{9}}
	signed := string(must(log.Sign(c)))
	at := time.Unix(1_756_800_000, 0).UTC()
	line := must(wit.Cosign(c.Text(), at))
	strange := strings.SplitAfterN(string(must(stranger.Sign(c))), "\n\n", 2)[1]
	if !strings.HasPrefix(line, "— b.example/mirror ") {
		t.Errorf("line %q", line)
	}

	h, err := OpenHead([]byte(signed+strange+line), v, w)
	if err != nil || h.Checkpoint != c || len(h.Cosignatures) != 1 || h.Cosignatures[0] != (Cosignature{"b.example/mirror", at}) {
		t.Errorf("got %+v, %v", h, err)
	}
	if h, err := OpenHead([]byte(signed+line), v); err != nil || len(h.Cosignatures) != 0 {
		t.Errorf("cosigner not known: got %+v, %v", h, err)
	}
	later := must(wit.Cosign(c.Text(), at.Add(time.Second)))
	raw := must(base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, "— b.example/mirror "))))
	raw[11]++ // another second than the signed one
	for name, text := range map[string]string{
		"cosigned only":            c.Text() + "\n" + line,
		"by a stranger":            string(must(stranger.Sign(c))),
		"another size":             strings.Replace(signed, "\n9\n", "\n8\n", 1),
		"cosignature of another":   strings.Replace(signed+line, "\n9\n", "\n8\n", 1),
		"cosigned at another time": signed + "— b.example/mirror " + base64.StdEncoding.EncodeToString(raw) + "\n",
		"no signature":             c.Text() + "\n",
		"nothing":                  "",
		"huge":                     signed + strings.Repeat("x", MaxCheckpoint),
	} {
		if h, err := OpenHead([]byte(text), v, w); err == nil {
			t.Errorf("%s: got %+v", name, h)
		}
	}
	if h, err := OpenHead([]byte(signed+later), v, w); err != nil || h.Cosignatures[0].At != at.Add(time.Second) {
		t.Errorf("later: %+v, %v", h, err)
	}
	// A log that signs under its own name what names another log.
	impostor := must(note.Sign(&note.Note{Text: Checkpoint{"c.example/log", 9, Hash{9}}.Text()}, must(note.NewSigner(log.Secret()))))
	if _, err := OpenHead(impostor, v); err == nil {
		t.Error("another log's origin under this log's key")
	}
	// A cosigner's key is no log's key.
	if _, err := OpenHead([]byte(c.Text()+"\n"+line), w); err == nil {
		t.Error("a cosigner stands in for the log")
	}
}

func TestProofFile(t *testing.T) {
	tree, s, es := testLog(t, 1000)
	log := must(GenerateSigner("a.example/log", repeat(1)))
	v := must(NewVerifier(log.Verifier()))
	head := must(log.Sign(Checkpoint{"a.example/log", 1000, tree.Root()}))
	for _, extra := range [][]byte{nil, []byte("a disclosure")} {
		p := Proof{extra, 123, must(Prove(123, 1000, tree.Root(), s)), head}
		text := p.Text()
		got, h, err := VerifyProof(text, es[123], v)
		if err != nil || h.Size != 1000 || !bytes.Equal(got.Extra, extra) || got.Index != 123 {
			t.Errorf("got %+v, %+v, %v", got, h, err)
		}
		if _, _, err := VerifyProof(text, es[124], v); problem.KindOf(err) != problem.Untrusted {
			t.Errorf("another entry: %v", err)
		}
		for i := range text {
			bad := bytes.Clone(text)
			bad[i] ^= 4 // 1 can fall on a bit that base64 leaves over in a signature
			got, _, err := VerifyProof(bad, es[123], v)
			if err == nil && bytes.Equal(got.Extra, extra) {
				t.Errorf("byte %d altered: %q holds", i, bad)
			}
		}
	}
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, bad := range []string{
		"", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 1\n\nx\n", "c2sp.org/tlog-proof@v1\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex -1\n\nx\n", "c2sp.org/tlog-proof@v1\nextra \nindex 1\n\nx\n", "c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 1\n" + strings.Repeat(hash+"\n", 57) + "\nx\n", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 1\nextra AA==\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 1\n" + strings.Repeat("x", MaxProof),
	} {
		if p, err := ParseProof([]byte(bad)); problem.KindOf(err) != problem.Invalid || err == nil {
			t.Errorf("%.60q: got %+v, %v", bad, p, err)
		}
	}
}

// TestProofPinned holds the file format by a proof that was made once.
func TestProofPinned(t *testing.T) {
	tree, s, es := testLog(t, 300)
	log := must(GenerateSigner("a.example/log", repeat(1)))
	wit := must(GenerateCosigner("b.example/mirror", repeat(2)))
	c := Checkpoint{"a.example/log", 300, tree.Root()}
	head := append(must(log.Sign(c)), must(wit.Cosign(c.Text(), time.Unix(1_756_800_000, 0)))...)
	got := Proof{[]byte("extra"), 257, must(Prove(257, 300, tree.Root(), s)), head}.Text()
	want := must(os.ReadFile("testdata/entry.tlog-proof"))
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, h, err := VerifyProof(want, es[257], must(NewVerifier(log.Verifier())), must(NewVerifier(wit.Verifier()))); err != nil || len(h.Cosignatures) != 1 {
		t.Errorf("got %+v, %v", h, err)
	}
}

func FuzzParseProof(f *testing.F) {
	f.Add(must(os.ReadFile("testdata/entry.tlog-proof")))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\nx\n"))
	v := must(NewVerifier(must(GenerateSigner("a.example/log", repeat(1))).Verifier()))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Text(), b) {
			t.Fatalf("%q comes back as %q", b, p.Text())
		}
		p.Verify([]byte("x"), v)
	})
}

func FuzzOpenHead(f *testing.F) {
	log := must(GenerateSigner("a.example/log", repeat(1)))
	wit := must(GenerateCosigner("b.example/mirror", repeat(2)))
	c := Checkpoint{"a.example/log", 9, Hash{9}}
	f.Add(must(log.Sign(c)))
	f.Add(append(must(log.Sign(c)), must(wit.Cosign(c.Text(), time.Unix(1, 0)))...))
	f.Add([]byte("a\n1\nAAAA\n\n— a AAAA\n"))
	v, w := must(NewVerifier(log.Verifier())), must(NewVerifier(wit.Verifier()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := OpenHead(b, v, w); err == nil && h.Checkpoint != c {
			t.Fatalf("a head that nobody signed: %+v", h)
		}
		if c, err := ParseCheckpoint(string(b)); err == nil && c.Text() != string(b) {
			t.Fatalf("%q comes back as %q", b, c.Text())
		}
		NewVerifier(string(b))
		NewSigner(string(b))
	})
}

// TestHashesAgainstModule holds leaf and node hashes against x/mod's.
func TestHashesAgainstModule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "data")
		var tree Tree
		l, r := tree.leafHash(data), Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "right"))
		if l != tlog.RecordHash(data) || nodeHash(&l, &r) != tlog.NodeHash(l, r) {
			t.Fatal("differs")
		}
	})
}
