// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/market"
)

// Keys names the rows of a booking: its slot, its persons' claims, passes and cards.
func (c Book) Keys(k *Keys) {
	k.levels(c.Slot.Site())
	k.Slots = append(k.Slots, c.Slot)
	if c.Test != 0 {
		k.Slots = append(k.Slots, c.Test)
	}
	k.Bookings = append(k.Bookings, c.Ref)
	for _, m := range c.Members {
		k.Claims = append(k.Claims, booking.ClaimKey{Tag: m.Tag, Site: c.Slot.Site(), Day: c.Slot.Day()})
		k.Holders = append(k.Holders, m.Pass)
		if m.Register != ([16]byte{}) {
			k.Vendors = append(k.Vendors, m.Register)
		}
	}
}

// Keys names nothing: a request leads to its slot and persons.
func (c DecideBooking) Keys(k *Keys) {}

// Keys names the booking.
func (c Cancel) Keys(k *Keys) {
	k.Bookings = append(k.Bookings, c.Ref)
	k.Acks = append(k.Acks, 0)
}

// Keys names the booking and the slot that it goes to.
func (c Move) Keys(k *Keys) {
	k.Bookings = append(k.Bookings, c.Ref)
	k.Slots = append(k.Slots, c.To)
	k.levels(c.To.Site())
	k.Acks = append(k.Acks, 0)
}

// Keys names the booking and the slot of the health desk.
func (c BookTest) Keys(k *Keys) {
	k.Bookings = append(k.Bookings, c.Ref)
	if c.Slot != 0 {
		k.Slots = append(k.Slots, c.Slot)
		k.levels(c.Slot.Site())
	}
}

// Keys names the booking.
func (c Accept) Keys(k *Keys) { k.Bookings = append(k.Bookings, c.Ref) }

// Keys names the booking.
func (c Decline) Keys(k *Keys) { k.Bookings = append(k.Bookings, c.Ref) }

// Keys names the booking.
func (c Reissue) Keys(k *Keys) {
	k.Bookings = append(k.Bookings, c.Ref)
	k.Acks = append(k.Acks, 0)
}

// Keys names the slots.
func (c Sweep) Keys(k *Keys) { k.Slots = append(k.Slots, c.Slots...) }

// Keys names the row that says how far the other side has heard.
func (c Acknowledge) Keys(k *Keys) { k.Acks = append(k.Acks, 0) }

// Keys names nothing: the list's entries are written and not read.
func (c Withdrawn) Keys(k *Keys) {}

// Keys names nothing: the figures are written and not read.
func (c OtherFigures) Keys(k *Keys) {}

// Keys names the pass.
func (c Scan) Keys(k *Keys) {
	k.levels(c.Site)
	k.Holders = append(k.Holders, c.Claims.ID)
	k.Presences = append(k.Presences, c.Claims.ID)
}

// Keys names the pass.
func (c DecideScan) Keys(k *Keys) {
	k.Holders = append(k.Holders, c.Pass)
	k.Presences = append(k.Presences, c.Pass)
}

// Keys names the pass.
func (c UndoScan) Keys(k *Keys) {
	k.Holders = append(k.Holders, c.Pass)
	k.Presences = append(k.Presences, c.Pass)
}

// Keys names the bookings.
func (c Settle) Keys(k *Keys) { k.Bookings = append(k.Bookings, c.Bookings...) }

// Keys names the values.
func (c Display) Keys(k *Keys) {
	for _, v := range c.Values {
		k.Values = append(k.Values, market.ValueKey{Site: c.Site, Code: v.Code, Day: c.Day})
	}
}

// Keys names the buyer's presence. The day, and with it ledger and value, are known
// only when the command runs.
func (c Buy) Keys(k *Keys) { k.Presences = append(k.Presences, c.Pass) }

// Keys names nothing: a receipt leads to its ledger.
func (c Void) Keys(k *Keys) {}

// Keys names nothing.
func (c Enrol) Keys(k *Keys) {}

// Keys names nothing.
func (c Appoint) Keys(k *Keys) {}
