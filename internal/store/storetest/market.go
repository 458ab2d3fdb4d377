// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// Site and Visitor are the market and the class of Law's hot slot.
const (
	Site    = 1
	Visitor = 1
)

// Law returns the agreement package that comes with the program, with so many places for
// each side in a slot of visitors at Mand–Pishin.
func Law(places int) (*rules.Law, error) {
	fsys, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		return nil, err
	}
	const file, old = "parameters/example.yaml", "site: mand-pishin, value: 400"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(b, []byte(old)) {
		return nil, fmt.Errorf("storetest: %s has no %q", file, old)
	}
	b = bytes.ReplaceAll(b, []byte(old), fmt.Appendf(nil, "site: mand-pishin, value: %d", 2*places))
	if fsys, err = agreement.Overlay(fsys, map[string][]byte{file: b}); err != nil {
		return nil, err
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		return nil, err
	}
	return rules.Compile(e)
}

var (
	marketOn = calendar.MustDate("2025-09-02")
	karachi  = calendar.MustZone("Asia/Karachi")
)

// Now is eight in the morning of the day before the market day.
func Now() time.Time { return marketOn.AddDays(-1).At(8*60, karachi).UTC() }

// Slot returns the slot of visitors that begins at an hour of the market day.
func Slot(hour int) booking.SlotID {
	return booking.MakeSlotID(Site, Visitor, rules.DayNumber(marketOn), uint16(hour*60))
}

// NewBook returns a booking of one person nobody else has been, with sealed data of the
// usual length. Persons are of every age from 18 and of two kinds of document, as at a
// market, so that not every one's question to the law is the same.
func NewBook(slot booking.SlotID) service.Book {
	var seed [32]byte
	rand.Read(seed[:])
	return bookBy(mathrand.NewChaCha8(seed), slot)
}

// BookOf returns the n-th booking: the same each time, for a retry after a crash.
func BookOf(n uint64, slot booking.SlotID) service.Book {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], n+1)
	return bookBy(mathrand.NewChaCha8(seed), slot)
}

func bookBy(r io.Reader, slot booking.SlotID) service.Book {
	m := service.NewMember{Pass: service.NewPassID(r), Document: "cnic", Country: "PAK"}
	c := service.Book{Ref: service.NewRef(r), Slot: slot, SealedID: "s-" + string(service.NewRef(r)), Sealed: make([]byte, 140)}
	for _, b := range [][]byte{m.Tag[:], m.Binding[:], m.Register[:], c.Sealed} {
		io.ReadFull(r, b)
	}
	var who [2]byte
	io.ReadFull(r, who[:])
	m.Age = 18 + int16(who[0]%60)
	if who[1]%2 == 1 {
		m.Document, m.Country = "passport", "IRN"
	}
	c.Members = []service.NewMember{m}
	return c
}
