// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

// actorAge is how long what is known of a program's officer is believed: a program
// calls thousands of times a second, and its officer leaves once.
const actorAge = time.Second

// actors are the officers as whom programs act.
type actors struct {
	mu    sync.Mutex // guards known
	known map[people.OfficerID]actor
}

type actor struct {
	officer people.Officer
	ok      bool // there is such an officer, who may act
	read    time.Time
}

// client finds out which program calls. Nobody is no problem yet: the route says
// whether a program must be known. The token is compared by its hash, in a map, so
// that time tells nothing about tokens. A program may do what its officer may, as far
// as it was given it, and nothing once the officer has left.
func (s *server) client(r *request) error {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	c, ok := s.clients[sha256.Sum256([]byte(token))]
	if !ok {
		return errSignIn
	}
	a, err := s.actor(r, c.Officer)
	if err != nil {
		return err
	}
	if !a.ok {
		return errSignIn
	}
	r.Client, r.Officer = &c, a.officer
	r.Officer.Roles = slices.DeleteFunc(slices.Clone(c.Roles), func(role people.Role) bool { return !a.officer.Has(role) })
	return nil
}

func (s *server) actor(r *request, id people.OfficerID) (actor, error) {
	s.actors.mu.Lock()
	a, known := s.actors.known[id]
	s.actors.mu.Unlock()
	if known && time.Since(a.read) < actorAge {
		return a, nil
	}
	a = actor{read: time.Now()}
	err := s.view(r.Context(), func(st service.State) error {
		a.officer, a.ok = service.OfficerOf(st, id)
		a.ok = a.ok && a.officer.Active
		return nil
	})
	if err != nil {
		return actor{}, err
	}
	s.actors.mu.Lock()
	defer s.actors.mu.Unlock()
	if s.actors.known == nil {
		s.actors.known = map[people.OfficerID]actor{}
	}
	s.actors.known[id] = a
	return a, nil
}
