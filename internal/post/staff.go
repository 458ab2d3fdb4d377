// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/web"
)

// NewOfficer is somebody who is to be appointed.
type NewOfficer struct {
	Login    string
	Roles    []people.Role
	Name     string // sealed
	Site     string // id in the agreement, empty for all
	Gate     uint16
	Language lang.Tag
	// Word is the sign-in word; a random one where it is empty, as it is for real people.
	Word string
}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,31}$`)

// ParseOfficer reads "login:role,role:Full Name", as init takes it.
func ParseOfficer(s string) (NewOfficer, error) {
	login, rest, ok := strings.Cut(s, ":")
	roles, name, _ := strings.Cut(rest, ":")
	if !ok {
		return NewOfficer{}, problem.Newf(problem.Invalid, "officer.form", "%q: want LOGIN:ROLE,ROLE:NAME", s)
	}
	o := NewOfficer{Login: login, Name: strings.TrimSpace(name), Language: lang.EN}
	var err error
	if o.Roles, err = ParseRoles(roles); err != nil {
		return NewOfficer{}, err
	}
	return o, o.check()
}

// ParseRoles reads roles with commas between them.
func ParseRoles(s string) ([]people.Role, error) {
	var roles []people.Role
	for _, r := range strings.Split(s, ",") {
		role := people.Role(strings.TrimSpace(r))
		if !slices.Contains(people.Roles[:], role) {
			return nil, problem.Newf(problem.Invalid, "officer.role", "there is no role %q; the roles are %s", role, joinRoles(people.Roles[:]))
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}

func joinRoles(roles []people.Role) string {
	s := make([]string, len(roles))
	for i, r := range roles {
		s[i] = string(r)
	}
	return strings.Join(s, ",")
}

func (o NewOfficer) check() error {
	switch {
	case !loginForm.MatchString(o.Login):
		return problem.Newf(problem.Invalid, "officer.login", "%q is no login: 2 to 32 of a-z, 0-9, dot, dash and underscore", o.Login)
	case len(o.Roles) == 0:
		return problem.Newf(problem.Invalid, "officer.role", "%s has no role; the roles are %s", o.Login, joinRoles(people.Roles[:]))
	case strings.TrimSpace(o.Name) == "":
		return problem.Newf(problem.Invalid, "officer.name", "%s has no name: the record's officers are persons", o.Login)
	case len(o.Name) > 200:
		return problem.Newf(problem.Invalid, "officer.name", "the name of %s is longer than 200 bytes", o.Login)
	}
	return nil
}

// staff appoints people by the same commands as the pages do.
type staff struct {
	writer service.Writer
	reader service.Reader
	sealer service.Sealer
	codec  *fact.Codec
	secret []byte // from which the first words of officers are derived
}

// do runs a command under a fresh idempotency key, so that an answer that is lost on the
// way to the log's owner is asked for again and the act not done twice.
func do(ctx context.Context, w service.Writer, codec *fact.Codec, c service.Command, answer any) error {
	done, err := w.Do(ctx, service.Idem{Key: rand.Text(), Actor: keeperActor}, c)
	if err != nil {
		return err
	}
	return problem.Wrap(problem.Internal, "post.answer", codec.Unmarshal(done.Answer, answer))
}

// keeperActor scopes the keys of acts of whoever keeps the machine.
const keeperActor = "keeper"

// firstWord is the word of an officer who was appointed at the machine without one: it
// follows from the id and a secret of the post, so that whoever lost the answer and asks
// again is shown the word that was kept.
func (s staff) firstWord(id people.OfficerID) (string, error) {
	stream, err := hkdf.Key(sha256.New, s.secret, nil, "darwaza.dev/first-word/1\x00"+string(id), 255)
	if err != nil {
		return "", problem.Wrap(problem.Internal, "officer.word", err)
	}
	word, err := web.NewWord(bytes.NewReader(stream))
	return word, problem.Wrap(problem.Internal, "officer.word", err)
}

// added returns the first word of an officer who is there already, where they are the one
// who is to be added and have no other word since: an earlier answer was lost.
func (s staff) added(ctx context.Context, n NewOfficer, had people.Officer) (string, bool, error) {
	same := had.Active && had.Site == n.Site && had.Gate == n.Gate && len(had.Roles) == len(n.Roles) && !slices.ContainsFunc(n.Roles, func(r people.Role) bool { return !had.Has(r) })
	if !same || n.Word != "" {
		return "", false, nil
	}
	var verifier string
	err := s.reader.View(ctx, func(st service.State) error {
		verifier, _ = service.WordOf(st, had.ID)
		return nil
	})
	if err != nil || verifier == "" {
		return "", false, err
	}
	word, err := s.firstWord(had.ID)
	if err != nil {
		return "", false, err
	}
	good, err := web.VerifyWord(verifier, word)
	return word, good, err
}

// add appoints somebody new, as the act of by, and returns the sign-in word, which nobody can read again. It
// may be asked again where the answer was lost, until the officer has another word. Where by
// is empty they appoint themselves, as the first person of a post does.
func (s staff) add(ctx context.Context, by people.OfficerID, n NewOfficer) (people.Officer, string, error) {
	if err := n.check(); err != nil {
		return people.Officer{}, "", err
	}
	if had, ok, err := s.find(ctx, n.Login); err != nil {
		return people.Officer{}, "", err
	} else if ok {
		word, again, err := s.added(ctx, n, had)
		if err != nil || again {
			return had, word, err
		}
		return people.Officer{}, "", problem.Newf(problem.Conflict, "officer.login", "the login %s belongs to an officer already (%s)", n.Login, had.ID)
	}
	id, err := newOfficerID()
	if err != nil {
		return people.Officer{}, "", err
	}
	if n.Language == "" {
		n.Language = lang.EN
	}
	o := people.Officer{ID: id, Login: n.Login, Roles: n.Roles, Site: n.Site, Gate: n.Gate, Language: string(n.Language), Active: true}
	c := service.Appoint{Officer: o, By: by, Given: n.Word == ""}
	if by == "" {
		c.By = id
	}
	if c.SealedID, c.Sealed, err = s.sealer.Seal(ctx, []byte(strings.TrimSpace(n.Name))); err != nil {
		return people.Officer{}, "", err
	}
	c.Officer.Sealed = c.SealedID
	word := n.Word
	if word == "" {
		if word, err = s.firstWord(id); err != nil {
			return people.Officer{}, "", err
		}
	}
	if c.Word, err = web.HashWord(rand.Reader, word); err != nil {
		return people.Officer{}, "", problem.Wrap(problem.Internal, "officer.word", err)
	}
	o, err = s.appoint(ctx, c)
	return o, word, err
}

// change changes an officer who is there, as the act of by.
func (s staff) change(ctx context.Context, by people.OfficerID, login string, change func(*people.Officer)) (people.Officer, error) {
	o, err := s.must(ctx, login)
	if err != nil {
		return people.Officer{}, err
	}
	change(&o)
	return s.appoint(ctx, service.Appoint{Officer: o, By: by})
}

// word gives an officer a new sign-in word, as the act of by. Sessions under the old one
// end with it. Where by is empty it is the keeper of the machine who does it, which is for
// those who could give everybody else one: an admin who has lost theirs.
func (s staff) word(ctx context.Context, by people.OfficerID, login string) (string, error) {
	o, err := s.must(ctx, login)
	if err != nil {
		return "", err
	}
	if by == "" && !(o.Active && o.Has(people.Admin)) {
		return "", problem.Newf(problem.Forbidden, "officer.by", "%s is no admin: their word comes from one, whom --by names", login)
	}
	word, err := web.NewWord(rand.Reader)
	if err != nil {
		return "", problem.Wrap(problem.Internal, "officer.word", err)
	}
	c := service.Appoint{Officer: o, By: by, Given: true}
	if c.Word, err = web.HashWord(rand.Reader, word); err != nil {
		return "", problem.Wrap(problem.Internal, "officer.word", err)
	}
	_, err = s.appoint(ctx, c)
	return word, err
}

// ownWord sets the word that an officer has chosen.
func (s staff) ownWord(ctx context.Context, o people.Officer, word string) error {
	if n := len([]rune(word)); n < web.MinWord || len(word) > web.MaxWord {
		return problem.Newf(problem.Invalid, "officer.word", "a word has %d characters at least and %d bytes at most", web.MinWord, web.MaxWord)
	}
	c := service.Appoint{Officer: o, By: o.ID}
	var err error
	if c.Word, err = web.HashWord(rand.Reader, word); err != nil {
		return problem.Wrap(problem.Internal, "officer.word", err)
	}
	_, err = s.appoint(ctx, c)
	return err
}

func (s staff) appoint(ctx context.Context, c service.Appoint) (people.Officer, error) {
	var a service.AppointAnswer
	err := do(ctx, s.writer, s.codec, c, &a)
	switch problem.CodeOf(err) {
	case "officer.role":
		err = problem.Newf(problem.Forbidden, "officer.role", "this takes an admin")
	case "officer.site":
		err = problem.Newf(problem.Forbidden, "officer.site", "who works at one site appoints there alone")
	case "officer.admin.last":
		err = problem.Newf(problem.Conflict, "officer.admin.last", "%s is the last who can appoint others, and stays", c.Officer.Login)
	}
	a.Officer.Login = c.Officer.Login // the answer does not say it
	return a.Officer, err
}

func (s staff) find(ctx context.Context, login string) (o people.Officer, ok bool, err error) {
	err = s.reader.View(ctx, func(st service.State) error {
		o, ok = service.OfficerByLogin(st, login)
		return nil
	})
	return o, ok, err
}

func (s staff) must(ctx context.Context, login string) (people.Officer, error) {
	o, ok, err := s.find(ctx, login)
	if err == nil && !ok {
		err = problem.Newf(problem.NotFound, "officer.login", "no officer signs in as %q; darwaza people list shows them", login)
	}
	return o, err
}

// list returns every officer ever appointed, with the name where it can be opened.
func (s staff) list(ctx context.Context) (all []people.Officer, names []string, err error) {
	var sealed [][]byte
	err = s.reader.View(ctx, func(st service.State) error {
		all, sealed = service.OfficersOf(st), nil
		for _, o := range all {
			c, _ := st.Sealed.Get(o.Sealed)
			sealed = append(sealed, c)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i, o := range all {
		name := ""
		if len(sealed[i]) > 0 {
			if b, err := s.sealer.Open(ctx, o.Sealed, sealed[i]); err == nil {
				name = string(b)
			}
		}
		names = append(names, name)
	}
	return all, names, nil
}

// newOfficerID returns "O-" and 8 random characters of Crockford's base 32.
func newOfficerID() (people.OfficerID, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", problem.Wrap(problem.Internal, "officer.id", err)
	}
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for i := range b {
		b[i] = letters[b[i]&31]
	}
	return people.OfficerID("O-" + string(b[:])), nil
}

// checkSites refuses an officer of a site or gate that no edition knows.
func checkSites(all []Edition, side agreement.Side, o NewOfficer) error {
	if o.Site == "" || len(all) == 0 {
		return nil
	}
	known := false
	for _, e := range all {
		site, ok := e.Site(o.Site)
		if !ok {
			continue
		}
		if o.Gate == 0 {
			return nil
		}
		if g, ok := site.Gate(o.Gate); ok && g.Side == side {
			return nil
		}
		known = true
	}
	if known {
		return problem.Newf(problem.Invalid, "officer.gate", "the site %s has no gate %d of side %s", o.Site, o.Gate, side)
	}
	var ids []string
	for _, e := range all {
		for _, s := range e.Sites {
			if !slices.Contains(ids, s.ID) {
				ids = append(ids, s.ID)
			}
		}
	}
	return problem.Newf(problem.Invalid, "officer.site", "there is no site %q in the agreement; the sites are %s", o.Site, fmt.Sprint(strings.Join(ids, ", ")))
}
