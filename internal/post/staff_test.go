// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/web"
)

// losing is a writer whose answers get lost, once the act is done.
type losing struct {
	service.Writer
	lose bool
	keys map[string]bool
}

func (l *losing) Do(ctx context.Context, id service.Idem, c service.Command) (service.Done, error) {
	if id.Key == "" || l.keys[id.Key] {
		return service.Done{}, problem.New(problem.Internal, "test.key")
	}
	l.keys[id.Key] = true
	d, err := l.Writer.Do(ctx, id, c)
	if l.lose && err == nil {
		return service.Done{}, problem.New(problem.Offline, "sequencer.lost")
	}
	return d, err
}

// TestAddAgain adds an officer, loses the answer, and adds them again: the second time
// shows the word that was kept, as often as it is asked for until it is changed.
func TestAddAgain(t *testing.T) {
	ctx := context.Background()
	law, err := rules.Compile()
	if err != nil {
		t.Fatal(err)
	}
	mem := service.Memory(agreement.A, func() *service.Law { return law }, time.Now)
	l := &losing{Writer: mem, keys: map[string]bool{}}
	s := staff{writer: l, reader: mem, codec: service.NewCodec(), secret: make([]byte, 32)}
	n := NewOfficer{Login: "late", Roles: []people.Role{people.Clerk}}
	l.lose = true
	if _, _, err := s.add(ctx, n); problem.KindOf(err) != problem.Offline || err == nil {
		t.Fatalf("the answer was not lost: %v", err)
	}
	l.lose = false
	holds := func(id people.OfficerID, word string) bool {
		var verifier string
		mem.View(ctx, func(st service.State) error {
			verifier, _ = service.WordOf(st, id)
			return nil
		})
		good, err := web.VerifyWord(verifier, word)
		return good && err == nil
	}
	var words []string
	for range 2 {
		o, word, err := s.add(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		if !holds(o.ID, word) {
			t.Errorf("the word %q does not sign %s in", word, o.ID)
		}
		words = append(words, word)
	}
	if words[0] != words[1] || len(mem.Facts()) != 1 {
		t.Errorf("words %q, %d facts", words, len(mem.Facts()))
	}
	other := n
	other.Roles = []people.Role{people.Clerk, people.Admin}
	if _, _, err := s.add(ctx, other); problem.CodeOf(err) != "officer.login" {
		t.Errorf("somebody else of that login: %v", err)
	}
	if _, err := s.word(ctx, "late"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.add(ctx, n); problem.CodeOf(err) != "officer.login" {
		t.Errorf("an officer who has another word by now: %v", err)
	}
	o, word, err := s.add(ctx, NewOfficer{Login: "later", Roles: n.Roles})
	if err != nil || word == words[0] || !holds(o.ID, word) {
		t.Errorf("two officers share the word %q, %v", word, err)
	}
}
