// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package people is the register of officers and what each may do. Acting rights are
// separate from the agreement's rules: a clause says what may cross, a role says who
// may key it.
package people

import (
	"time"

	"darwaza.dev/internal/table"
)

// Role is what an officer is appointed to do.
type Role string

// The roles.
const (
	Clerk       Role = "clerk"      // books for people without a phone, prints passes
	GateOfficer Role = "gate"       // scans, admits, decides what is referred at the gate
	Health      Role = "health"     // screens
	Customs     Role = "customs"    // goods desk, displayed values
	Manager     Role = "manager"    // market manager: vendors, occupancy
	Supervisor  Role = "supervisor" // the day's overview, settles, answers contests
	Committee   Role = "committee"  // signs editions
	Auditor     Role = "auditor"    // reads the record
	Admin       Role = "admin"      // appoints officers
)

// Roles lists every role in order.
var Roles = [...]Role{Clerk, GateOfficer, Health, Customs, Manager, Supervisor, Committee, Auditor, Admin}

// OfficerID names an officer in facts: short, random, never a name.
type OfficerID string

// Officer is one person who may act.
type Officer struct {
	ID OfficerID `cbor:"1,keyasint,omitempty"`
	// Login is what they sign in with. It is in no fact and in no row of Officers: people take
	// their names for it. A view fills it in.
	Login    string    `cbor:"2,keyasint,omitempty"`
	Roles    []Role    `cbor:"3,keyasint,omitempty"`
	Site     string    `cbor:"4,keyasint,omitempty"` // id of the site they work at, empty for all
	Gate     uint16    `cbor:"5,keyasint,omitempty"` // default gate number, 0 for none
	Language string    `cbor:"6,keyasint,omitempty"`
	Active   bool      `cbor:"7,keyasint,omitempty"`
	Since    time.Time `cbor:"8,keyasint,omitempty"`
	Sealed   string    `cbor:"9,keyasint,omitempty"` // id of the sealed name
}

// Has reports whether the officer holds the role.
func (o Officer) Has(r Role) bool {
	for _, x := range o.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// State is what people knows. Numbers lists all
// officers ever appointed, from 0, as many as Counts holds under "officers".
type State struct {
	Officers table.Table[OfficerID, Officer]
	Numbers  table.Table[uint32, OfficerID]
	Counts   table.Table[string, uint32]
}
