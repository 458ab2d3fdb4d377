// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"darwaza.dev/internal/problem"
)

// TestRecordByHand carries both records by stick, proves a fact of one with no server and no
// network, and compares what the two sides hold of it.
func TestRecordByHand(t *testing.T) {
	a, b := twoPosts(t)
	dir := t.TempDir()
	pkg := filepath.Join(filepath.Dir(a.dir), "agreement")
	file := func(name string) string { return filepath.Join(dir, name) }
	says := func(want string, args ...string) {
		t.Helper()
		if out := must(t, args...); !strings.Contains(out, want) {
			t.Errorf("darwaza %q says %q, not %q", args, out, want)
		}
	}
	says("from entry 0 to ", "exchange", "export", "--config", a.config, file("a1.zip"))
	says("entries were new", "exchange", "import", "--config", b.config, file("a1.zip"))
	says("0 entries were new", "exchange", "import", "--config", b.config, file("a1.zip"))
	// Nobody but A vouches for it before the stick has come back.
	must(t, "record", "prove", "--config", a.config, "0", file("alone.tlog-proof"))
	says("side B has not cosigned it", "record", "verify", "--agreement", pkg, file("alone.tlog-proof"))
	must(t, "exchange", "export", "--config", b.config, file("b1.zip"))
	says("cosignature of this side's record is kept", "exchange", "import", "--config", a.config, file("b1.zip"))
	says("people.appointed", "record", "show", "--config", a.config, "0")
	must(t, "record", "prove", "--config", a.config, "--for", "all", "0", file("fact.tlog-proof"))
	says("side B holds that record and has cosigned it", "record", "verify", "--agreement", pkg, file("fact.tlog-proof"))
	proof, err := os.ReadFile(file("fact.tlog-proof"))
	if err != nil {
		t.Fatal(err)
	}
	for at := len(proof) / 8; at < len(proof); at += len(proof) / 8 {
		changed := bytes.Clone(proof)
		changed[at] ^= 1
		if err := os.WriteFile(file("changed"), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, _, status := darwaza(t, "record", "verify", "--agreement", pkg, file("changed")); status == 0 {
			t.Errorf("a proof whose byte %d is changed: %s", at, out)
		}
	}
	// An auditor with the files of both.
	must(t, "record", "export", "--config", a.config, file("own.zip"))
	must(t, "record", "export", "--mirror", "--config", b.config, file("mirror.zip"))
	says("they agree in all", "record", "compare", "--agreement", pkg, file("own.zip"), file("mirror.zip"))
	must(t, "record", "export", "--config", b.config, file("other.zip"))
	if _, errs, status := darwaza(t, "record", "compare", "--agreement", pkg, file("own.zip"), file("other.zip")); status != problem.Untrusted.ExitStatus() {
		t.Errorf("the records of two sides compared as one: %d, %s", status, errs)
	}
	if _, errs, status := darwaza(t, "record", "prove", "--config", a.config, "0", file("fact.tlog-proof")); status != problem.Conflict.ExitStatus() {
		t.Errorf("a file was written over: %d, %s", status, errs)
	}
	if _, errs, status := darwaza(t, "record", "show", "--config", a.config, "99999"); status != problem.NotFound.ExitStatus() {
		t.Errorf("a fact that there is not: %d, %s", status, errs)
	}
	if _, errs, status := darwaza(t, "exchange", "import", "--config", a.config, file("fact.tlog-proof")); status != problem.Invalid.ExitStatus() {
		t.Errorf("a file that is none: %d, %s", status, errs)
	}
	ownWord(t, a.config, "head", "")
	if out := mustWith(t, headWord+"\n", "exchange", "resume", "--config", a.config, "--by", "head"); !strings.Contains(out, "nothing was halted") {
		t.Errorf("resume says %q", out)
	}
}
