// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
)

// Essential is a command that carries values which its caller draws anew for each
// attempt: references, pass ids, ciphertext. Essence is what an attempt asks for without
// them. A retry under one idempotency key has the same essence; one with another is
// another act and a problem of kind conflict.
type Essential interface{ Essence() any }

// bookEssence is a Book without Ref, pass ids, bindings and sealed data.
type bookEssence struct {
	Slot            booking.SlotID
	Members         []NewMember
	Waits, Standing bool
	Officer         people.OfficerID
	Test            booking.SlotID
}

// Essence leaves out the reference, the passes and the sealed data.
func (c Book) Essence() any {
	e := bookEssence{c.Slot, make([]NewMember, len(c.Members)), c.Waits, c.Standing, c.Officer, c.Test}
	copy(e.Members, c.Members)
	for i := range e.Members {
		e.Members[i].Pass, e.Members[i].Binding = [8]byte{}, [16]byte{}
	}
	return e
}

// Essence leaves out the tags: they follow from the booking's document and the slot's day,
// and once the booking is there they need not be said again.
func (c Move) Essence() any {
	c.Tags = nil
	return c
}

// Essence leaves out the receipt number and the sealed data.
func (c Buy) Essence() any {
	c.ID, c.SealedID, c.Sealed = "", "", nil
	return c
}

// Essence leaves out the officer's id, which is random for a new one, the sealed name and
// the salted verifier of the sign-in word. The login says who is meant.
func (c Appoint) Essence() any {
	c.Officer.ID = ""
	c.SealedID, c.Sealed, c.Word = "", nil, ""
	c.Officer.Sealed = ""
	return c
}
