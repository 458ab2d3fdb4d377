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
	return State{Officers: table.Map[OfficerID, Officer]{}, Numbers: table.Map[uint32, OfficerID]{}, Counts: table.Map[string, uint32]{}}
}

func TestDecideAppoint(t *testing.T) {
	st := empty()
	logins := map[string]OfficerID{}
	appoint := func(o Officer) error {
		facts, err := st.DecideAppoint(o, "", logins[o.Login])
		if err == nil {
			logins[o.Login] = o.ID
		}
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

// TestAppointAtOneSite has somebody who appoints at one site try the others, and the last
// who appoints everywhere be kept.
func TestAppointAtOneSite(t *testing.T) {
	st := empty()
	appoint := func(o Officer, by OfficerID) string {
		facts, err := st.DecideAppoint(o, by, "")
		for _, f := range facts {
			Apply(st, time.Unix(0, 0), f)
		}
		if err == nil {
			return ""
		}
		return problem.CodeOf(err)
	}
	of := func(id, site string, roles ...Role) Officer {
		return Officer{ID: OfficerID(id), Login: id, Site: site, Roles: roles, Active: true}
	}
	for _, o := range []Officer{of("head", "", Admin), of("mand", "mand", Admin), of("gabd", "gabd", Clerk), of("all", "", Clerk)} {
		if code := appoint(o, ""); code != "" {
			t.Fatal(o.ID, code)
		}
	}
	for _, c := range []struct {
		name string
		o    Officer
		code string
	}{
		{"somebody new at the site", of("new", "mand", Clerk), ""},
		{"a change at the site", of("new", "mand", GateOfficer), ""},
		{"somebody new at another site", of("x", "gabd", Clerk), "officer.site"},
		{"somebody new at all sites", of("x", "", Clerk), "officer.site"},
		{"somebody of another site", of("gabd", "gabd", Manager), "officer.site"},
		{"somebody of another site taken over", of("gabd", "mand", Clerk), "officer.site"},
		{"somebody of all sites taken over", of("all", "mand", Clerk), "officer.site"},
		{"one of the site sent elsewhere", of("new", "gabd", GateOfficer), "officer.site"},
		{"one of the site sent everywhere", of("new", "", GateOfficer), "officer.site"},
		{"themselves sent everywhere", of("mand", "", Admin), "officer.site"},
	} {
		if code := appoint(c.o, "mand"); code != c.code {
			t.Errorf("%s: %q, want %q", c.name, code, c.code)
		}
	}
	if code := appoint(of("head", "mand", Admin), "head"); code != "officer.admin.last" {
		t.Errorf("nobody is left who appoints everywhere: %q", code)
	}
	if code := appoint(of("gabd", "mand", Clerk), "head"); code != "" {
		t.Errorf("who appoints everywhere: %q", code)
	}
}
