// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"net/http"
	"strconv"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// officersView lists the officers of this side.
type officersView struct {
	Active, Former []officerLine
}

type officerLine struct {
	people.Officer
	Name  string
	Roles []string // keys of their names
	Site  lang.Text
}

func (s *server) officersPage(w http.ResponseWriter, r *request) error {
	if _, err := s.edition(r.Now); err != nil {
		return err
	}
	var all []people.Officer
	sealed := map[string][]byte{}
	err := s.view(r.Context(), func(st service.State) error {
		all = service.OfficersOf(st)
		for _, o := range all {
			sealed[o.Sealed], _ = st.Sealed.Get(o.Sealed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var v officersView
	for _, o := range all {
		if mayAct(r.Officer, o.Site) != nil {
			continue // who appoints at one site alone sees those of that site
		}
		l := officerLine{Officer: o, Name: s.openName(r.Context(), o, sealed[o.Sealed]), Roles: roleNames(o.Roles)}
		for _, site := range s.sites(r.Now) {
			if site.ID == o.Site {
				l.Site = site.Name
			}
		}
		if o.Active {
			v.Active = append(v.Active, l)
		} else {
			v.Former = append(v.Former, l)
		}
	}
	return s.render(w, r, page{Name: "officers", View: v, Wide: true, Styles: []string{"officer.css"}})
}

// officerForm is the page on which an officer is appointed or changed.
type officerForm struct {
	ID       people.OfficerID // empty for a new one
	Name     string
	Login    string
	Roles    []roleChoice
	Site     string
	Gate     uint16
	Language string
	Active   bool
	Self     bool
	// Everywhere is true where the officer may be appointed for all sites.
	Everywhere bool
	Sites      []agreement.Site
	Side       agreement.Side
	Errors     errorsIn
}

type roleChoice struct {
	Role people.Role
	Held bool
}

func (s *server) newOfficerForm(r *request, o people.Officer, name string) (officerForm, error) {
	if _, err := s.edition(r.Now); err != nil {
		return officerForm{}, err
	}
	v := officerForm{Everywhere: true, ID: o.ID, Name: name, Login: o.Login, Site: o.Site, Gate: o.Gate, Language: o.Language, Active: o.Active,
		Self: o.ID == r.Officer.ID, Sites: s.sites(r.Now), Side: s.deps.Side}
	for _, only := range v.Sites {
		if only.ID == r.Officer.Site {
			v.Sites, v.Everywhere = []agreement.Site{only}, false
			break
		}
	}
	for _, role := range people.Roles {
		v.Roles = append(v.Roles, roleChoice{Role: role, Held: o.Has(role)})
	}
	return v, nil
}

func (s *server) officerNew(w http.ResponseWriter, r *request) error {
	v, err := s.newOfficerForm(r, people.Officer{Language: string(r.Lang)}, "")
	if err != nil {
		return err
	}
	return s.renderOfficer(w, r, v, http.StatusOK)
}

func (s *server) renderOfficer(w http.ResponseWriter, r *request, v officerForm, status int) error {
	return s.render(w, r, page{Name: "officer", View: v, Status: status, Styles: []string{"officer.css"}})
}

func (s *server) officerByID(r *request, id string) (people.Officer, string, error) {
	var (
		o      people.Officer
		ok     bool
		sealed []byte
	)
	err := s.view(r.Context(), func(st service.State) error {
		if o, ok = service.OfficerOf(st, people.OfficerID(id)); ok && o.Sealed != "" {
			sealed, _ = st.Sealed.Get(o.Sealed)
		}
		return nil
	})
	switch {
	case err != nil:
		return o, "", err
	case !ok:
		return o, "", errNotFound
	}
	if err := mayAct(r.Officer, o.Site); err != nil {
		return o, "", err
	}
	return o, s.openName(r.Context(), o, sealed), nil
}

func (s *server) officerPage(w http.ResponseWriter, r *request) error {
	o, name, err := s.officerByID(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	v, err := s.newOfficerForm(r, o, name)
	if err != nil {
		return err
	}
	return s.renderOfficer(w, r, v, http.StatusOK)
}

// officerSave appoints or changes an officer. A new one gets a word, which is shown once.
func (s *server) officerSave(w http.ResponseWriter, r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	o := people.Officer{ID: service.NewOfficerID(s.deps.Rand), Active: true}
	name := ""
	if id != "" {
		if o, name, err = s.officerByID(r, id); err != nil {
			return err
		}
	}
	wasNamed := name
	o.Login, name = normalLogin(f.get("login")), f.get("name")
	o.Site, o.Language = f.get("site"), f.get("language")
	gate, _ := strconv.ParseUint(f.get("gate"), 10, 16)
	o.Gate = uint16(gate)
	o.Roles = nil
	for _, role := range people.Roles {
		if f.has("role." + string(role)) {
			o.Roles = append(o.Roles, role)
		}
	}
	v, err := s.newOfficerForm(r, o, name)
	if err != nil {
		return err
	}
	if id == "" {
		v.ID = ""
	}
	if name == "" || len(name) > 120 {
		v.Errors.add("name", "officers.name.empty")
	}
	if o.Login == "" {
		v.Errors.add("login", "officers.login.wrong")
	}
	if len(o.Roles) == 0 {
		v.Errors.add("roles", "officers.roles.empty")
	}
	if len(v.Errors) > 0 {
		return s.renderOfficer(w, r, v, http.StatusUnprocessableEntity)
	}
	c := service.Appoint{Officer: o, By: r.Officer.ID, Given: id == ""}
	word := ""
	if id == "" {
		if word, c.Word, err = s.freshWord(r); err != nil {
			return err
		}
	}
	if name != wasNamed {
		if c.SealedID, c.Sealed, err = s.deps.Sealer.Seal(r.Context(), []byte(name)); err != nil {
			return err
		}
	}
	a, _, err := do[service.AppointAnswer](s, r, c)
	if c.SealedID != "" && (err == nil && a.Officer.Sealed != c.SealedID || err != nil && problem.KindOf(err) != problem.Offline && problem.KindOf(err) != problem.Internal) {
		_ = s.deps.Sealer.Destroy(r.Context(), c.SealedID) // nothing refers to it; a key left over opens nothing
	}
	if err != nil {
		if !s.officerFault(&v, err) {
			return err
		}
		return s.renderOfficer(w, r, v, http.StatusUnprocessableEntity)
	}
	if word == "" {
		return s.redirect(w, r, "/officers?note=officer")
	}
	return s.renderWord(w, r, o, name, word)
}

// officerFault puts a problem of the register by the field that it is about, and
// reports whether there is one.
func (s *server) officerFault(v *officerForm, err error) bool {
	switch code := problem.CodeOf(err); code {
	case "officer.login.taken":
		v.Errors.add("login", "officers.login.taken")
	case "officer.login":
		v.Errors.add("login", "officers.login.wrong")
	case "officer.roles":
		v.Errors.add("roles", "officers.roles.empty")
	case "officer.admin.last":
		v.Errors.add("roles", "officers.admin.last")
	case "officer.site", "officer.site.unknown":
		v.Errors.add("site", "officers.site.wrong")
	default:
		return false
	}
	return true
}

// freshWord makes a sign-in word and its verifier. The word is drawn from the act's
// idempotency key, so that the page shows the word that was kept even when the form was
// sent twice.
func (s *server) freshWord(r *request) (word, verifier string, err error) {
	key, err := r.idem()
	if err != nil {
		return "", "", err
	}
	stream, err := hkdf.Key(sha256.New, s.deps.SessionKey, nil, "darwaza.dev/word/1\x00"+key+"\x00"+r.actor(), 255)
	if err != nil {
		return "", "", err
	}
	if word, err = NewWord(bytes.NewReader(stream)); err != nil {
		return "", "", err
	}
	verifier, err = HashWord(s.deps.Rand, word)
	return word, verifier, err
}

// newWordView shows a word once.
type newWordView struct {
	Name, Login, Word string
}

func (s *server) renderWord(w http.ResponseWriter, r *request, o people.Officer, name, word string) error {
	return s.render(w, r, page{Name: "new-word", View: newWordView{Name: name, Login: o.Login, Word: word}, Styles: []string{"officer.css"}})
}

// officerWord gives an officer a new word, and signs them out everywhere.
func (s *server) officerWord(w http.ResponseWriter, r *request) error {
	if _, err := r.form(); err != nil {
		return err
	}
	o, name, err := s.officerByID(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	// Somebody who comes back starts with a word that no old session knows.
	o.Active = true
	word, verifier, err := s.freshWord(r)
	if err != nil {
		return err
	}
	if _, _, err := do[service.AppointAnswer](s, r, service.Appoint{Officer: o, By: r.Officer.ID, Word: verifier, Given: true}); err != nil {
		return err
	}
	return s.renderWord(w, r, o, name, word)
}

// officerEnd ends an appointment: the officer is signed out everywhere and stays in the
// register, because the record names them.
func (s *server) officerEnd(w http.ResponseWriter, r *request) error {
	if _, err := r.form(); err != nil {
		return err
	}
	o, name, err := s.officerByID(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	o.Active = false
	if _, _, err := do[service.AppointAnswer](s, r, service.Appoint{Officer: o, By: r.Officer.ID}); err != nil {
		o.Active = true
		v, ferr := s.newOfficerForm(r, o, name)
		if ferr != nil || !s.officerFault(&v, err) {
			return err
		}
		return s.renderOfficer(w, r, v, http.StatusUnprocessableEntity)
	}
	return s.redirect(w, r, "/officers?note=officer")
}
