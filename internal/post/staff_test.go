// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"crypto/rand"
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

// plain seals nothing: what is sealed is not the point here.
type plain struct{}

func (plain) Seal(_ context.Context, data []byte) (string, []byte, error) {
	return rand.Text(), data, nil
}

func (plain) SealUnder(_ context.Context, _ string, data []byte) ([]byte, error) { return data, nil }

func (plain) Open(_ context.Context, _ string, data []byte) ([]byte, error) { return data, nil }

func (plain) Destroy(context.Context, string) error { return nil }

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
	s := staff{writer: l, reader: mem, sealer: plain{}, codec: service.NewCodec(), secret: make([]byte, 32)}
	// The first person appoints themselves; whoever comes after them is appointed.
	if _, _, err := s.add(ctx, "", NewOfficer{Login: "nobody", Name: "No Body", Roles: []people.Role{people.Clerk}}); problem.KindOf(err) != problem.Forbidden || err == nil {
		t.Errorf("a clerk appointed themselves: %v", err)
	}
	head, _, err := s.add(ctx, "", NewOfficer{Login: "head", Name: "Head Of Post", Roles: []people.Role{people.Admin}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.add(ctx, "", NewOfficer{Login: "second", Name: "Second Head", Roles: []people.Role{people.Admin}}); problem.KindOf(err) != problem.Forbidden || err == nil {
		t.Errorf("a second person appointed themselves: %v", err)
	}
	boss := head.ID
	if f, ok := mem.Facts()[0].Fact.(*people.Appointed); !ok || f.By != boss {
		t.Errorf("the first appointment is %+v", mem.Facts()[0].Fact)
	}
	if _, _, err := s.add(ctx, boss, NewOfficer{Login: "nameless", Roles: []people.Role{people.Clerk}}); problem.CodeOf(err) != "officer.name" {
		t.Errorf("an officer without a name: %v", err)
	}
	n := NewOfficer{Login: "late", Name: "Late Comer", Roles: []people.Role{people.Clerk}}
	l.lose = true
	if _, _, err := s.add(ctx, boss, n); problem.KindOf(err) != problem.Offline || err == nil {
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
		o, word, err := s.add(ctx, boss, n)
		if err != nil {
			t.Fatal(err)
		}
		if !holds(o.ID, word) {
			t.Errorf("the word %q does not sign %s in", word, o.ID)
		}
		words = append(words, word)
	}
	if words[0] != words[1] || len(mem.Facts()) != 2 {
		t.Errorf("words %q, %d facts", words, len(mem.Facts()))
	}
	other := n
	other.Roles = []people.Role{people.Clerk, people.Admin}
	if _, _, err := s.add(ctx, boss, other); problem.CodeOf(err) != "officer.login" {
		t.Errorf("somebody else of that login: %v", err)
	}
	if _, err := s.word(ctx, boss, "late"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.add(ctx, boss, n); problem.CodeOf(err) != "officer.login" {
		t.Errorf("an officer who has another word by now: %v", err)
	}
	o, word, err := s.add(ctx, boss, NewOfficer{Login: "later", Name: "Later Still", Roles: n.Roles})
	if err != nil || word == words[0] || !holds(o.ID, word) {
		t.Errorf("two officers share the word %q, %v", word, err)
	}
}
