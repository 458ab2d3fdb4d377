// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// darwazaWith runs a command with something on its standard input.
func darwazaWith(t *testing.T, in string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := program(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestPeopleErase erases one booking's personal data beside a running server: by a named
// supervisor who knows their word, and once.
func TestPeopleErase(t *testing.T) {
	a, _ := twoPosts(t)
	a.start(t)
	out := a.mustCall(t, http.MethodPost, "/api/v1/bookings", idem("book"), order(a.slotNow(t), 1))
	ref, _ := at(out, "booking", "reference").(string)
	// What the booking's key opens, read beside the server.
	named := func() bool {
		t.Helper()
		conf, err := post.ReadConfig(a.config)
		if err != nil {
			t.Fatal(err)
		}
		p, err := post.OpenForPeople(t.Context(), conf)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var id string
		var ciphertext []byte
		if err := p.Reader().View(t.Context(), func(st service.State) error {
			b, _ := service.BookingOf(st, booking.Ref(ref))
			id = b.Sealed
			ciphertext, _ = st.Sealed.Get(id)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(ciphertext) == 0 {
			return false
		}
		plain, err := p.Sealer().Open(t.Context(), id, ciphertext)
		return err == nil && bytes.Contains(plain, []byte("A Name"))
	}
	if !named() {
		t.Fatal("the key does not open the name: the test looks in the wrong place")
	}
	word := func(login string) string {
		lines := strings.Split(strings.TrimSpace(must(t, "people", "word", "--config", a.config, login)), "\n")
		return strings.TrimSpace(lines[len(lines)-1])
	}
	head := word("head")
	if _, stderr, status := darwazaWith(t, head+"\n", "people", "erase", "--config", a.config, "--by", "head", ref); status != problem.Forbidden.ExitStatus() || !strings.Contains(stderr, "given to head by somebody else") {
		t.Errorf("by a word that the keeper made: status %d, %s", status, stderr)
	}
	ownWord(t, a.config, "head", head)
	head = headWord
	added := mustWith(t, head+"\n", "people", "add", "--config", a.config, "--by", "head", "--name", "Till Keeper", "till", "customs")
	till := givenWord.FindString(added)
	ownWord(t, a.config, "till", till)
	till = headWord
	for _, tt := range []struct {
		in   string
		args []string
		kind problem.Kind
		want string
	}{
		{head, []string{ref}, problem.Invalid, "--by"},
		{"not the word\n", []string{"--by", "head", ref}, problem.Forbidden, "sign-in word is not right"},
		{till + "\n", []string{"--by", "till", ref}, problem.Forbidden, "a supervisor or an admin"},
		{head + "\n", []string{"--by", "head", "A Name"}, problem.Invalid, "reference"},
		{head + "\n", []string{"--by", "head", "000000000000"}, problem.NotFound, "no booking"},
	} {
		stdout, stderr, status := darwazaWith(t, tt.in, append([]string{"people", "erase", "--config", a.config}, tt.args...)...)
		if status != tt.kind.ExitStatus() || !strings.Contains(stderr, tt.want) {
			t.Errorf("people erase %v: status %d, want %d and %q\n%s%s", tt.args, status, tt.kind.ExitStatus(), tt.want, stdout, stderr)
		}
	}
	if !named() {
		t.Fatal("erased by nobody who may")
	}
	for i, want := range []string{"are erased, here and in every backup", "erased already"} {
		stdout, stderr, status := darwazaWith(t, head+"\n", "people", "erase", "--config", a.config, "--by", "head", strings.ToLower(ref))
		if status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("time %d: status %d, want %q\n%s%s", i+1, status, want, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, head) {
			t.Error("the sign-in word is printed")
		}
	}
	if named() {
		t.Error("the name is still read")
	}
	a.stop(t)
	must(t, "record", "check", "--config", a.config)
}
