// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

// maxAnswers is how many slots and questions are remembered at most. A rush is for a few
// slots, by persons of some sixty ages with a few kinds of document.
const maxAnswers = 2048

// Answers remembers what a law has said of slots and of parties that it would see as the
// same. An answer is a function of the law and the question and of nothing else, neither of
// the state nor of the time at which it is asked, so that one remembered is as good as
// another asking: in a rush most parties differ in their tags and passes alone. Whoever
// decides keeps one beside the state; it holds no person's data but what the law reads.
//
// What it has handed out is shared: nobody changes it. The zero value is empty. It is for
// one goroutine.
type Answers struct {
	law    *rules.Law // of everything below; another law has said none of it
	places map[SlotID]place
	said   map[question]said
	// crossings are by the law and by what gates were measured to do.
	crossings map[crossKey]crossing
}

// crossing is a crossing that is remembered.
func (a *Answers) crossing(k crossKey) (crossing, bool) {
	if a == nil {
		return crossing{}, false
	}
	c, ok := a.crossings[k]
	return c, ok
}

// seen is what the law sees of a person.
type seen struct {
	document, country string
	age               int16
	vendor            bool
}

// A question is all that ask makes a rules.Query of. The instant, the site and the class
// follow from the slot.
type question struct {
	slot             SlotID
	side             agreement.Side
	adults, children int64
	level            string // of protection, with what is switched on beside it
	latest           int64  // crossing, in Unix seconds; 0 where the law does not ask for it
	person           seen
	tests            string // that are booked at the health desk, joined by spaces
}

// said is an answer of the law, and the question as the record keeps it.
type said struct {
	verdict rules.Verdict
	asked   rules.Asked
}

// of makes the answers those of one law. It is false where nothing is remembered.
func (a *Answers) of(l *rules.Law) bool {
	if a == nil {
		return false
	}
	if a.law != l || len(a.places)+len(a.said)+len(a.crossings) >= maxAnswers {
		*a = Answers{law: l, places: map[SlotID]place{}, said: map[question]said{}, crossings: map[crossKey]crossing{}}
	}
	return true
}
