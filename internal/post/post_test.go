// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

func makeKeys(t *testing.T, side agreement.Side, now time.Time) (*Keys, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	k, err := MakeKeys(dir, side, Origin("an-agreement", side), now)
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

func TestKeys(t *testing.T) {
	now := time.Date(2025, 9, 2, 3, 0, 0, 0, time.UTC)
	made, dir := makeKeys(t, agreement.B, now)
	read, err := OpenKeys(dir, agreement.B)
	if err != nil {
		t.Fatal(err)
	}
	a, err := made.Public()
	if err != nil {
		t.Fatal(err)
	}
	b, err := read.Public()
	if err != nil || !bytes.Equal(a.Root, b.Root) || !bytes.Equal(a.Exchange, b.Exchange) || a.Log != b.Log || !bytes.Equal(made.Session, read.Session) {
		t.Errorf("other keys were read than were made: %v", err)
	}
	if made.Log.Name() != "darwaza.dev/an-agreement/B" {
		t.Errorf("the log is called %s", made.Log.Name())
	}
	if len(read.Certificates) != 3 || read.left(now) != keyLife-time.Hour {
		t.Errorf("%d certificates, the first ends in %v", len(read.Certificates), read.left(now))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || !e.IsDir() && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if _, err := MakeKeys(dir, agreement.B, "x", now); problem.KindOf(err) != problem.Conflict {
		t.Errorf("keys were written over: %v", err)
	}
}

func TestKeysProblems(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name string
		harm func(dir string) error
		kind problem.Kind
		want string
	}{
		{"readable by others", func(dir string) error { return os.Chmod(filepath.Join(dir, "log.key"), 0o640) }, problem.Untrusted, "chmod 600"},
		{"a missing key", func(dir string) error { return os.Remove(filepath.Join(dir, "secret.pem")) }, problem.NotFound, "secret.pem"},
		{"another kind of key", func(dir string) error {
			return os.Rename(filepath.Join(dir, "root.pem"), filepath.Join(dir, "secret.pem"))
		}, problem.Invalid, "another kind"},
		{"no key", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "pass.pem"), []byte("not a key but a secret all the same"), 0o600)
		}, problem.Invalid, "pass.pem"},
		{"a short session key", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "session.key"), []byte("abcd\n"), 0o600)
		}, problem.Invalid, "session.key"},
		{"a log key of another form", func(dir string) error { return os.WriteFile(filepath.Join(dir, "log.key"), []byte("x\n"), 0o600) }, problem.Invalid, "log.key"},
		{"a file that is no certificate", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "certificates", "x.cert"), []byte("x"), 0o644)
		}, problem.Invalid, "x.cert"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, dir := makeKeys(t, agreement.A, now)
			if err := tt.harm(dir); err != nil {
				t.Fatal(err)
			}
			_, err := OpenKeys(dir, agreement.A)
			if problem.KindOf(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want kind %v and %q", err, tt.kind, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "a secret all the same") {
				t.Errorf("the problem quotes the file: %v", err)
			}
		})
	}
	if _, err := OpenKeys(filepath.Join(t.TempDir(), "none"), agreement.A); problem.KindOf(err) != problem.NotFound {
		t.Errorf("no folder: %v", err)
	}
}

// TestRenew sees that keys of daily use are replaced past half of their time, with the
// old certificates kept, and only where the root is at hand.
func TestRenew(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	k, dir := makeKeys(t, agreement.A, now)
	old := k.Pass.ID()
	if renewed, err := k.Renew(now.Add(keyLife/2 - 2*time.Hour)); err != nil || len(renewed) != 0 {
		t.Fatalf("renewed %v too early, %v", renewed, err)
	}
	later := now.Add(keyLife/2 + time.Hour)
	renewed, err := k.Renew(later)
	if err != nil || len(renewed) != 3 {
		t.Fatalf("renewed %v, %v", renewed, err)
	}
	if k.Pass.ID() == old || len(k.Certificates) != 6 || k.left(later) < keyLife/2 {
		t.Errorf("key %v, %d certificates, %v left", k.Pass.ID(), len(k.Certificates), k.left(later))
	}
	// A pass that the old key signed is still believed.
	root, err := pass.PublicBytes(&k.Root.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	e := Edition{&agreement.Edition{Parties: map[agreement.Side]agreement.Party{agreement.A: {Keys: agreement.Keys{Root: root}}}}, "test"}
	tr, left, err := trust([]Edition{e}, k.Certificates)
	if err != nil || left != nil || len(tr.Certificates()) != 6 {
		t.Errorf("%d certificates are believed, %v, %v", len(tr.Certificates()), left, err)
	}
	if err := os.Rename(filepath.Join(dir, "root.pem"), filepath.Join(t.TempDir(), "root.pem")); err != nil {
		t.Fatal(err)
	}
	k, err = OpenKeys(dir, agreement.A)
	if err != nil || k.Root != nil {
		t.Fatalf("without the root: %v", err)
	}
	if renewed, err := k.Renew(later.Add(keyLife)); err != nil || renewed != nil {
		t.Errorf("renewed %v without the root, %v", renewed, err)
	}
}

func TestParseOfficer(t *testing.T) {
	good, err := ParseOfficer("gate1:gate, health:Some Body: the first")
	if err != nil || good.Login != "gate1" || len(good.Roles) != 2 || good.Roles[1] != people.Health || good.Name != "Some Body: the first" {
		t.Errorf("%+v, %v", good, err)
	}
	for _, s := range []string{"", "gate1", "gate1:", "gate1:king", "Gate:gate", "a:gate", "x y:gate", "-x:gate", strings.Repeat("a", 33) + ":gate", "gate1:gate:" + strings.Repeat("n", 201)} {
		if _, err := ParseOfficer(s); problem.KindOf(err) != problem.Invalid || err == nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestOfficerIDs(t *testing.T) {
	seen := map[people.OfficerID]bool{}
	for range 1000 {
		id, err := newOfficerID()
		if err != nil || len(id) != 10 || seen[id] {
			t.Fatalf("%q, %v", id, err)
		}
		seen[id] = true
	}
}

// TestCheckEditions holds what a post may not run on, beside what the process tests see.
func TestCheckEditions(t *testing.T) {
	k, _ := makeKeys(t, agreement.A, time.Now())
	one := Edition{&agreement.Edition{ID: "one"}, "folder-1"}
	two := Edition{&agreement.Edition{ID: "two"}, "folder-2"}
	if err := CheckEditions([]Edition{one}, k); problem.KindOf(err) != problem.Untrusted || !strings.Contains(err.Error(), "folder-1") {
		t.Errorf("an edition without keys: %v", err)
	}
	if err := CheckEditions([]Edition{one, two}, k); err == nil {
		t.Error("two agreements pass for one")
	}
	if err := CheckEditions(nil, k); err != nil {
		t.Error(err)
	}
}

// TestWriteFile sees a file replaced whole, with its mode, and no scraps left.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	for _, text := range []string{"first", "second"} {
		if err := writePrivate(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil || string(b) != "second" {
		t.Errorf("%q, %v", b, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if err := writePrivate(filepath.Join(dir, "none", "x"), nil); err == nil {
		t.Error("a file in no folder")
	}
}
