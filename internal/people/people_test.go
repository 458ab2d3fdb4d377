// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package people

import (
	"testing"
	"time"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/table"
)

func empty() State {
	return State{Officers: table.Map[OfficerID, Officer]{}, Logins: table.Map[string, OfficerID]{},
		Numbers: table.Map[uint32, OfficerID]{}, Counts: table.Map[string, uint32]{}}
}

func TestDecideAppoint(t *testing.T) {
	st := empty()
	appoint := func(o Officer) error {
		facts, err := st.DecideAppoint(o, "")
		for _, f := range facts {
			Apply(st, time.Unix(int64(len(st.All())), 0), f)
		}
		return err
	}
	if err := appoint(Officer{ID: "a", Login: "first", Roles: []Role{Admin, Clerk}, Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := appoint(Officer{ID: "b", Login: "second", Roles: []Role{Clerk}, Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := appoint(Officer{ID: "b", Login: "first", Roles: []Role{Clerk}, Active: true}); problem.CodeOf(err) != "officer.login.taken" {
		t.Errorf("a login that another has: %v", err)
	}
	if err := appoint(Officer{ID: "a", Login: "first", Roles: []Role{Clerk}, Active: true}); problem.CodeOf(err) != "officer.admin.last" {
		t.Errorf("the last who appoints: %v", err)
	}
	if err := appoint(Officer{ID: "b", Login: "third", Roles: []Role{Admin}, Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := appoint(Officer{ID: "a", Login: "first", Roles: []Role{Clerk, Admin}}); err != nil {
		t.Errorf("there is another who appoints: %v", err)
	}
	if _, ok := st.Logins.Get("second"); ok {
		t.Error("an old login still leads somewhere")
	}
	all := st.All()
	if len(all) != 2 || all[0].ID != "a" || all[1].ID != "b" || all[1].Since.Unix() != 1 || all[0].Roles[0] != Clerk {
		t.Errorf("%+v", all)
	}
}

func TestRoles(t *testing.T) {
	for _, r := range Roles {
		if !r.Known() {
			t.Errorf("%s is not known", r)
		}
	}
	if Role("").Known() || Role("owner").Known() {
		t.Error("knows a role that there is not")
	}
}
