// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"reflect"
	"testing"

	"darwaza.dev/internal/market"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

func TestAppoint(t *testing.T) {
	w := newWorld(t, lawWith(t))
	c := Appoint{Officer: officer("o-1", "mand-pishin", true, people.GateOfficer, people.Clerk, people.Clerk), By: "admin",
		SealedID: "name", Sealed: []byte("ciphertext"), Word: "$argon2id$verifier"}
	c.Officer.Login = "mand.gate1"
	a := do[AppointAnswer](w, c)
	if o := a.Officer; len(o.Roles) != 2 || o.Roles[0] != people.Clerk || o.Sealed != "name" || !o.Since.Equal(w.now) {
		t.Errorf("%+v", o)
	}
	if word, ok := WordOf(w.mem.plain, "o-1"); !ok || word != c.Word {
		t.Errorf("word %q", word)
	}
	for _, h := range w.mem.Facts() {
		b, err := w.mem.codec.Encode(h.Fact)
		if err != nil || bytes.Contains(b, []byte("argon2id")) || bytes.Contains(b, []byte("ciphertext")) {
			t.Errorf("%s: the sign-in word or the sealed name is in a fact (%v)", h.Fact.FactKind(), err)
		}
	}
	if o, ok := OfficerByLogin(w.mem.plain, "mand.gate1"); !ok || o.ID != "o-1" {
		t.Errorf("%+v", o)
	}
	if n := len(OfficersOf(w.mem.plain)); n != len(people.Roles)+1 {
		t.Errorf("%d officers", n)
	}
	// A change keeps what is not given, and frees the old login.
	ch := Appoint{Officer: officer("o-1", "", true, people.Customs), By: "admin"}
	ch.Officer.Login = "mand.desk"
	a = do[AppointAnswer](w, ch)
	if a.Officer.Sealed != "name" || a.Officer.Has(people.Clerk) {
		t.Errorf("%+v", a.Officer)
	}
	if _, ok := OfficerByLogin(w.mem.plain, "mand.gate1"); ok {
		t.Error("the old login still leads to the officer")
	}
	if word, _ := WordOf(w.mem.plain, "o-1"); word != c.Word {
		t.Error("a change lost the sign-in word")
	}
	if WordGiven(w.mem.plain, "o-1") {
		t.Error("a word of nobody else's counts as given")
	}
	// A word that somebody else made is known as such until the officer sets their own.
	ch.Word, ch.Given = "given verifier", true
	do[AppointAnswer](w, ch)
	if word, _ := WordOf(w.mem.plain, "o-1"); word != "given verifier" || !WordGiven(w.mem.plain, "o-1") {
		t.Errorf("a given word: %q", word)
	}
	ch.Word, ch.Given = "", false
	do[AppointAnswer](w, ch)
	if !WordGiven(w.mem.plain, "o-1") {
		t.Error("a change of roles made a given word one's own")
	}
	do[AppointAnswer](w, Appoint{Officer: ch.Officer, By: "o-1", Word: "own verifier", Given: true})
	if word, _ := WordOf(w.mem.plain, "o-1"); word != "own verifier" || WordGiven(w.mem.plain, "o-1") {
		t.Errorf("one's own word: %q", word)
	}
	w.rebuilt()
}

func TestAppointProblems(t *testing.T) {
	w := newWorld(t, lawWith(t))
	w.fails(Appoint{Officer: officer("o-2", "", true, people.Clerk), By: "supervisor"}, problem.Forbidden, "officer.role")
	w.fails(Appoint{Officer: officer("o-2", "", true), By: "admin"}, problem.Invalid, "officer.roles")
	w.fails(Appoint{Officer: officer("o-2", "", true, "king"), By: "admin"}, problem.Invalid, "officer.roles")
	w.fails(Appoint{Officer: officer("o-2", "nowhere", true, people.Clerk), By: "admin"}, problem.Invalid, "officer.site.unknown")
	w.fails(Appoint{Officer: officer("o-2", "", false, people.Clerk), By: "admin"}, problem.NotFound, "officer.unknown")
	w.fails(Appoint{Officer: officer("Ali Khan", "", true, people.Clerk), By: "admin"}, problem.Invalid, "officer.id")
	o := officer("o-2", "", true, people.Clerk)
	o.Login = "Ali Khan"
	w.fails(Appoint{Officer: o, By: "admin"}, problem.Invalid, "officer.login")
	o.Login = "gate"
	w.fails(Appoint{Officer: o, By: "admin"}, problem.Conflict, "officer.login.taken")
	// The last who can appoint others stays.
	w.fails(Appoint{Officer: officer("admin", "", false, people.Admin), By: "admin"}, problem.Conflict, "officer.admin.last")
	w.fails(Appoint{Officer: officer("admin", "", true, people.Clerk), By: "admin"}, problem.Conflict, "officer.admin.last")
	do[AppointAnswer](w, Appoint{Officer: officer("o-3", "", true, people.Admin), By: "admin"})
	do[AppointAnswer](w, Appoint{Officer: officer("admin", "", false, people.Admin), By: "o-3"})
	w.fails(Appoint{Officer: officer("o-4", "", true, people.Clerk), By: "admin"}, problem.Forbidden, "officer.role")
	w.fails(Appoint{Officer: officer("o-3", "", false, people.Admin), By: "o-3"}, problem.Conflict, "officer.admin.last")
	w.rebuilt()
}

// Officers change their own sign-in word, and nothing else of themselves.
func TestOwnWord(t *testing.T) {
	w := newWorld(t, lawWith(t))
	c := Appoint{Officer: officer("clerk", "", true, people.Admin, people.Clerk), By: "clerk", Word: "new"}
	a := do[AppointAnswer](w, c)
	if a.Officer.Has(people.Admin) {
		t.Error("an officer appointed themselves")
	}
	if word, _ := WordOf(w.mem.plain, "clerk"); word != "new" {
		t.Errorf("word %q", word)
	}
	c.Officer.ID = "gate"
	w.fails(c, problem.Forbidden, "officer.role")
	w.rebuilt()
}

// A clause that leaves something to a person names a role that there is.
func TestDeciders(t *testing.T) {
	e, ok := lawWith(t).Edition(at("10:00"))
	if !ok {
		t.Fatal("no edition")
	}
	for _, c := range e.Clauses {
		if c.Decides != "" && !people.Role(c.Decides).Known() {
			t.Errorf("%s: no role is called %q", c.ID, c.Decides)
		}
	}
}

// A card belongs to the site that gave it: who manages one market neither takes over nor
// suspends the card of another, and whoever works at both moves it.
func TestEnrolAtTheCardsSite(t *testing.T) {
	w := newWorld(t, lawWith(t))
	card := func(site uint16, suspended bool, by people.OfficerID) Enrol {
		return Enrol{Register: id('r', 1), Vendor: market.Vendor{Card: "V-1", Site: site, From: 1, Until: 60000, Suspended: suspended}, Officer: by}
	}
	for name, site := range map[string]string{"mand": "mand-pishin", "gabd": "gabd-reemdan"} {
		o := officer(name, site, true, people.Manager)
		o.Login = name
		do[AppointAnswer](w, Appoint{Officer: o, By: "admin"})
	}
	do[EnrolAnswer](w, card(mand, false, "mand"))
	w.fails(card(gabd, false, "gabd"), problem.Forbidden, "officer.site")
	w.fails(card(gabd, true, "gabd"), problem.Forbidden, "officer.site")
	w.fails(card(gabd, false, "mand"), problem.Forbidden, "officer.site")
	do[EnrolAnswer](w, card(mand, true, "mand"))
	do[EnrolAnswer](w, card(gabd, false, "manager"))
	do[EnrolAnswer](w, card(gabd, true, "gabd"))
	w.rebuilt()
}

// TestWhatNoFactHolds appoints an officer and gives a card, and finds login and number in
// no fact, no row and no answer that is kept, but where a view looks.
func TestWhatNoFactHolds(t *testing.T) {
	w := newWorld(t, lawWith(t))
	o := officer("o-1", "mand-pishin", true, people.Clerk)
	o.Login = "ali.khan"
	var kept []byte
	run := func(c Command) {
		d, err := w.mem.Do(t.Context(), Idem{}, c)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d.Answer...)
	}
	run(Appoint{Officer: o, By: "admin", Word: "verifier"})
	run(Enrol{Register: id('r', 1), Vendor: market.Vendor{Card: "V-77123", Site: mand, From: 1, Until: 60000}, Officer: "manager"})
	for _, h := range w.mem.Facts() {
		b, err := w.mem.codec.Encode(h.Fact)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, b...)
	}
	for name, rows := range snapshot(w.mem.plain) {
		b, err := w.mem.codec.Marshal(rows)
		if err == nil {
			kept = append(kept, b...)
		} else if name != "" { // keys that are structs: their rows are looked at one by one
			v := reflect.ValueOf(rows)
			for _, k := range v.MapKeys() {
				for _, x := range []reflect.Value{k, v.MapIndex(k)} {
					if b, err = w.mem.codec.Marshal(x.Interface()); err != nil {
						t.Fatal(name, err)
					}
					kept = append(kept, b...)
				}
			}
		}
	}
	for _, secret := range []string{"ali.khan", "V-77123"} {
		if bytes.Contains(kept, []byte(secret)) {
			t.Errorf("%s is kept in clear", secret)
		}
	}
	if got, ok := OfficerByLogin(w.mem.plain, "ali.khan"); !ok || got.ID != "o-1" || got.Login != "ali.khan" {
		t.Errorf("%+v", got)
	}
	if v, ok := VendorOf(w.mem.plain, id('r', 1)); !ok || v.Card != "V-77123" {
		t.Errorf("%+v", v)
	}
	w.rebuilt()
}
