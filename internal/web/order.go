// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"encoding/json"
	"fmt"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// maxParty is the most adults that one booking's form or call may name, whatever the
// agreement allows; the agreement's own limit is a clause's and gives a verdict.
const maxParty = 12

// order is what a traveller, a clerk or a program asks for: places in a slot.
type order struct {
	Slot     booking.SlotID
	People   []person
	Phone    string
	Waits    bool
	Standing bool
	Officer  people.OfficerID // the clerk, empty where there is none
	Test     booking.SlotID   // of the health desk, 0 for none
}

// person is one adult of an order, with the children who come on the same pass.
type person struct {
	Name     string
	Document identity.Document
	Age      int16 // years, -1 where not said
	Children uint8
	Shown    rules.Shown // of their health certificate
}

// sealedParty is the personal data of a booking, in the form in which it is sealed
// under a key of its own. People stand in the order of the booking's members.
type sealedParty struct {
	People []sealedPerson `json:"people"`
	Phone  string         `json:"phone,omitempty"`
}

type sealedPerson struct {
	Name    string `json:"name,omitempty"`
	Kind    string `json:"kind"`
	Country string `json:"country"`
	Number  string `json:"number"`
}

// book asks for the places of an order. The answer's verdict says whether there are any.
func (s *server) book(r *request, o order) (service.BookingAnswer, service.Done, error) {
	var none service.BookingAnswer
	if _, err := r.idem(); err != nil { // before a key is made
		return none, service.Done{}, err
	}
	c := service.Book{
		Ref: service.NewRef(s.deps.Rand), Slot: o.Slot, Waits: o.Waits, Standing: o.Standing, Officer: o.Officer, Test: o.Test,
		Members: make([]service.NewMember, len(o.People)),
	}
	party := sealedParty{Phone: o.Phone, People: make([]sealedPerson, len(o.People))}
	for i, p := range o.People {
		key := p.Document.Key()
		id := service.NewPassID(s.deps.Rand)
		c.Members[i] = service.NewMember{
			Pass: id, Tag: s.deps.Secrets.Tag(o.Slot.Day(), key), Binding: s.deps.Secrets.Bind(id, key), Register: s.deps.Secrets.Register(key),
			Document: string(p.Document.Kind), Country: p.Document.Country, Age: p.Age, Children: p.Children, Shown: p.Shown,
		}
		party.People[i] = sealedPerson{Name: p.Name, Kind: string(p.Document.Kind), Country: p.Document.Country, Number: p.Document.Number}
	}
	plain, err := json.Marshal(party)
	if err != nil {
		return none, service.Done{}, problem.Wrap(problem.Internal, "seal", err)
	}
	if c.SealedID, c.Sealed, err = s.deps.Sealer.Seal(r.Context(), plain); err != nil {
		return none, service.Done{}, err
	}
	answer, done, err := do[service.BookingAnswer](s, r, c)
	// What was sealed for an act that another call had done already, or that came to
	// nothing, is of no use to anybody. Where the answer was lost it is not known which,
	// and the key stays.
	if kept := answer.Booking.Sealed == c.SealedID || answer.Refusal.Sealed == c.SealedID; err == nil && !kept || err != nil && problem.KindOf(err) != problem.Offline && problem.KindOf(err) != problem.Internal {
		if err := s.deps.Sealer.Destroy(r.Context(), c.SealedID); err != nil {
			s.deps.Log.WarnContext(r.Context(), "a key of no use was not destroyed", "problem", problem.KindOf(err).String(), "id", r.ID)
		}
	}
	return answer, done, err
}

// party opens the personal data of a booking. It is empty where its key was destroyed.
func (s *server) party(ctx context.Context, b booking.Booking, ciphertext []byte) (sealedParty, error) {
	var p sealedParty
	if b.Sealed == "" || len(ciphertext) == 0 {
		return p, nil
	}
	plain, err := s.deps.Sealer.Open(ctx, b.Sealed, ciphertext)
	if problem.KindOf(err) == problem.NotFound && err != nil {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return sealedParty{}, problem.New(problem.Internal, "seal.form") // the error may quote what was sealed
	}
	return p, nil
}

// passText signs the pass of one member; it is empty where the booking has no pass.
func (s *server) passText(b booking.Booking, member int) (string, pass.Claims, error) {
	c, ok := service.PassClaims(s.deps.Law(), s.deps.Side, b, member)
	if !ok {
		return "", pass.Claims{}, nil
	}
	text, err := pass.Sign(s.deps.PassKey(), c)
	if err != nil {
		return "", c, problem.Wrap(problem.Internal, "pass.sign", fmt.Errorf("member %d: %w", member, err))
	}
	return text, c, nil
}

// parseRef reads a booking's reference as a person types it: small letters, hyphens and
// spaces are accepted, I and L count as 1, O as 0. What is no reference gives one that
// nobody has, so that it is looked up and answered like any other.
func parseRef(text string) booking.Ref {
	var b []byte
	for _, c := range text {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= '۰' && c <= '۹':
			c += '0' - '۰'
		case c >= '٠' && c <= '٩':
			c += '0' - '٠'
		}
		switch c {
		case ' ', '-', '–', '\u200c', '\u200e', '\u200f', '\u2066', '\u2067', '\u2068', '\u2069':
			continue
		case 'I', 'L':
			c = '1'
		case 'O':
			c = '0'
		}
		if c > '~' || len(b) == 12 {
			return "------------"
		}
		b = append(b, byte(c))
	}
	if len(b) != 12 {
		return "------------"
	}
	return booking.Ref(b)
}

// formatRef writes a reference in groups of four.
func formatRef(ref booking.Ref) string {
	if len(ref) != 12 {
		return string(ref)
	}
	return string(ref[:4] + "-" + ref[4:8] + "-" + ref[8:])
}
