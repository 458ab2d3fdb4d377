// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"time"

	"darwaza.dev/internal/lang"
)

// Neighbour is how the records of the two sides stand, for supervisors and auditors.
type Neighbour struct {
	Asked, Heard time.Time // when a round was last begun, and when one last went well; zero for never
	Up, Cut      bool
	// Theirs is how many entries the other side's record has as last heard, Mirrored how many
	// are stored here.
	Theirs, Mirrored uint64
	// Ours is how many this side's has, and Cosigned how many the other side holds.
	Ours, Cosigned uint64
	// Halted is true where nothing more is taken of the other side's record because it has
	// contradicted itself; Accused where the other side has shown that of this side's.
	Halted, Accused bool
	// Skew is how far the other side's clock is ahead, where it is known.
	Skew time.Duration
	// Refused are the last things that were not believed, newest first.
	Refused []NeighbourRefusal
}

// NeighbourRefusal is something that was not believed.
type NeighbourRefusal struct {
	At    time.Time
	Topic string // a word for operators
	Why   string // a word for operators
	// Asked is true for what the other side asked, false for what it answered.
	Asked bool
}

type neighbourView struct {
	Name    lang.Text
	None    bool // no other side is connected
	Now     Neighbour
	Heard   *age
	Minutes int64 // by which the clocks differ, where it is worth a word
	Behind  uint64
	Waiting uint64
	Refused []refusedLine
}

type refusedLine struct {
	Ago        *age
	Topic, Why string
	Asked      bool
}

// neighboursPage shows how the line to the other side and the mirror of its record are.
func (s *server) neighboursPage(w http.ResponseWriter, r *request) error {
	v := neighbourView{None: true}
	if e, ok := s.deps.Law().Edition(r.Now); ok {
		v.Name = e.Parties[s.deps.Side.Other()].Name
	}
	if s.deps.Neighbour != nil {
		n, err := s.deps.Neighbour(r.Context())
		if err != nil {
			return err
		}
		v.None, v.Now = false, n
		v.Heard = ageOf(r.Now, n.Heard)
		v.Behind, v.Waiting = n.Theirs-min(n.Mirrored, n.Theirs), n.Ours-min(n.Cosigned, n.Ours)
		if m := int64(n.Skew.Abs() / time.Minute); m > 0 {
			v.Minutes = m
		}
		for _, x := range n.Refused {
			v.Refused = append(v.Refused, refusedLine{Ago: ageOf(r.Now, x.At), Topic: x.Topic, Why: x.Why, Asked: x.Asked})
		}
	}
	return s.render(w, r, page{Name: "neighbours", View: v, Styles: []string{"officer.css"}})
}
