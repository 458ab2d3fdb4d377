// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/web"
)

// eraseEvery is the time between two looks at whose data are to go.
const eraseEvery = time.Hour

// Erase does once what a post does by itself every hour: it destroys the keys that
// officers asked to have destroyed, as far as that is not done, and those whose time has
// come. The keys go first and the fact that says so after them, so that the record never
// says it of a key that is still there; where the server stops between the two, the next
// look does both again.
func (p *Post) Erase(ctx context.Context) error {
	if err := p.eraseFiles(ctx); err != nil {
		return err
	}
	if err := p.eraseAsked(ctx); err != nil {
		return err
	}
	for {
		var ids []string
		var c service.EraseDay
		var more bool
		err := p.store.View(ctx, func(st service.State) error {
			ids, c, more = service.EraseNext(st, p.law, p.Config.Side, uint16(p.Config.EraseAfter), p.clock())
			return nil
		})
		if err != nil || !more {
			return err
		}
		if err := p.vault.DestroyAll(ctx, ids); err != nil {
			return err
		}
		done, err := p.seq.Do(ctx, service.Idem{Key: actKey("erase", ids...), Actor: serverActor}, c)
		if err != nil {
			return err
		}
		var a service.EraseDayAnswer
		if err := p.codec.Unmarshal(done.Answer, &a); err != nil {
			return problem.Wrap(problem.Internal, "post.erase", err)
		}
		p.log.Info("personal data were erased, as their time had come", "site", c.Site, "day", c.Day, "after_days", c.After, "count", len(ids))
		if done.Again {
			return nil // another server has just done the same; what is left waits for the next look
		}
	}
}

// eraseFiles lets the case files of the health desk go whose time has come. Here the fact
// goes first and asks for the key's end, which eraseAsked brings and then says of.
func (p *Post) eraseFiles(ctx context.Context) error {
	for {
		var c service.EraseHealth
		var more bool
		err := p.store.View(ctx, func(st service.State) error {
			c, more = service.HealthNext(st, p.law, p.clock())
			return nil
		})
		if err != nil || !more {
			return err
		}
		var ids []string
		for _, id := range c.Cases {
			ids = append(ids, string(id))
		}
		done, err := p.seq.Do(ctx, service.Idem{Key: actKey("files", ids...), Actor: serverActor}, c)
		if err != nil {
			return err
		}
		p.log.Info("case files of the health desk were erased, as their time had come", "count", len(ids))
		if done.Again {
			return nil
		}
	}
}

// eraseAsked destroys the keys that officers asked to have destroyed.
func (p *Post) eraseAsked(ctx context.Context) error {
	var ids []string
	var c service.EraseDone
	var any bool
	err := p.store.View(ctx, func(st service.State) error {
		ids, c, any = service.EraseWaiting(st)
		return nil
	})
	if err != nil || !any {
		return err
	}
	if err := p.vault.DestroyAll(ctx, ids); err != nil {
		return err
	}
	_, err = p.seq.Do(ctx, service.Idem{Key: actKey("erased", ids...), Actor: serverActor}, c)
	return err
}

// EraseOne destroys the key of a booking's party, or of a receipt that has sealed data of
// its own, before its time. by is the login of the supervisor or admin whose act it is,
// and word their sign-in word: nobody's name stands for what another did. It reports
// whether there was anything left to erase.
func (p *Post) EraseOne(ctx context.Context, what, by, word string) (bool, error) {
	c := service.Erase{}
	what = strings.ToUpper(strings.TrimSpace(what))
	if ref := booking.Ref(strings.ReplaceAll(what, "-", "")); ref.Valid() {
		c.Ref = ref
	} else if strings.HasPrefix(what, "R-") && booking.Ref(what[2:]).Valid() {
		c.Receipt = what
	} else if k := appeal.ID(what); k.Valid() {
		c.Case = k
	} else {
		return false, problem.Newf(problem.Invalid, "erasure.what", "want a booking's reference of 12 characters, a receipt's number, R- and 12 characters, or a case's, C- and 12 characters")
	}
	o, err := p.Signed(ctx, by, word)
	if err != nil {
		return false, err
	}
	c.Officer = o.ID
	var a service.EraseAnswer
	if err := p.do(ctx, c, &a); err != nil {
		switch problem.CodeOf(err) {
		case "erasure.unknown":
			err = problem.Newf(problem.NotFound, "erasure.unknown", "this post has no booking, receipt or case of that number")
		case "officer.role":
			err = problem.Newf(problem.Forbidden, "officer.role", "%s may not erase: it takes a supervisor or an admin", by)
		case "officer.site":
			err = problem.Newf(problem.Forbidden, "officer.site", "%s works at another site", by)
		}
		return false, err
	}
	if a.Sealed == "" {
		return false, nil
	}
	// Also where it was erased before: a database put back from a backup may not know.
	if err := p.vault.DestroyAll(ctx, []string{a.Sealed}); err != nil {
		return false, err
	}
	return !a.Already, p.eraseAsked(ctx)
}

// Signed returns the officer of a login whose sign-in word is right and is their own
// choice: under a word that somebody else made too, nobody knows whose act it is.
func (p *Post) Signed(ctx context.Context, login, word string) (people.Officer, error) {
	o, given, err := p.knows(ctx, login, word)
	if err == nil && given {
		err = problem.Newf(problem.Forbidden, "officer.word.given", "this word was given to %s by somebody else: they choose their own first, with darwaza people word --by %[1]s %[1]s or where they sign in", login)
	}
	return o, err
}

// knows returns the officer of a login whose sign-in word is right, and whether somebody
// else made it.
func (p *Post) knows(ctx context.Context, login, word string) (people.Officer, bool, error) {
	var o people.Officer
	var verifier string
	var given bool
	err := p.store.View(ctx, func(st service.State) error {
		var ok bool
		if o, ok = service.OfficerByLogin(st, login); ok {
			verifier, _ = service.WordOf(st, o.ID)
			given = service.WordGiven(st, o.ID)
		}
		return nil
	})
	if err != nil {
		return people.Officer{}, false, err
	}
	good := false
	if verifier != "" && o.Active {
		if good, err = web.VerifyWord(verifier, word); err != nil {
			return people.Officer{}, false, err
		}
	}
	if !good {
		return people.Officer{}, false, problem.Newf(problem.Forbidden, "officer.word", "the login or the sign-in word is not right, or the officer may no longer sign in")
	}
	return o, given, nil
}

// serverActor scopes the keys of acts that the server does by itself.
const serverActor = "server"

// actKey is the idempotency key of an act of the server's own: the same for the same act,
// at whichever server of the post.
func actKey(act string, about ...string) string {
	h := sha256.New()
	h.Write([]byte(act))
	for _, a := range about {
		h.Write([]byte("\x00" + a))
	}
	return act + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// do runs a command of a keeper at the machine under a key of its own, so that an answer
// that is lost on the way is asked for again and the act not done twice.
func (p *Post) do(ctx context.Context, c service.Command, answer any) error {
	return do(ctx, p.seq, p.codec, c, answer)
}

// Sealer returns the post's keys of persons.
func (p *Post) Sealer() service.Sealer { return p.vault }
