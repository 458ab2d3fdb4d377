// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/trust"
)

// The day is one under protection: the level guarded of the agreement's example, with the
// profile of COVID-19, is brought in by side A on the day before, and the level high by side
// B at noon, in an emergency. Certificates are signed by an invented authority, which both
// posts trust.
const (
	guardLevel  = "guarded"
	noonLevel   = "high"
	noonAt      = 12 * 60
	contactAsks = "screening.contact"
)

// Paper is what somebody brings against COVID-19.
type Paper uint8

// The papers.
const (
	Dosed   Paper = iota // the last dose of a course
	Brought              // a negative test that holds
	Lapsed               // a negative test that no longer holds
	NoPaper
	Tested // is tested at the health desk, by a test that is booked with the place
)

// paper invents what a visitor brings.
func (g *planner) paper() Paper {
	switch r := g.health.IntN(1000); {
	case r < 660:
		return Dosed
	case r < 965:
		return Brought
	case r < 990:
		return Lapsed
	}
	return NoPaper
}

// papers gives a party its papers; one in seven books tests.
func (g *planner) papers(p *Party) {
	p.Tests = p.Vendor == 0 && g.health.IntN(1000) < 140
	for i := range p.Members {
		p.Members[i].Paper = g.paper()
		if p.Vendor > 0 {
			p.Members[i].Paper = Dosed
		}
		if p.Tests {
			p.Members[i].Paper = Tested
		}
	}
}

// infect lets the test of one visitor be positive: the first who books one for the morning and comes.
func infect(parties []Party, w World) {
	for i := range parties {
		p := &parties[i]
		if p.Tests && !p.Later && p.MoveAt == 0 && p.CancelAt == 0 && w.Slots[p.Slot].Minute < noonAt-60 && p.Members[0].Trouble == NoTrouble {
			p.Members[0].Positive = true
			return
		}
	}
}

// authority signs the certificates of the invented people.
type authority struct {
	key     *ecdsa.PrivateKey
	id      []byte
	country string // ISO 3166 alpha-3
	alpha2  string
	pem     []byte
}

func newAuthority(country string, now time.Time) (*authority, error) {
	a := &authority{country: country}
	var ok bool
	if a.alpha2, ok = identity.Alpha2(country); !ok {
		return nil, problem.New(problem.Internal, "demo.country")
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.authority", err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{a.alpha2}, CommonName: "invented health authority"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.authority", err)
	}
	cert, err := trust.ParseCertificate(der)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "demo.authority", err)
	}
	a.id, a.pem = cert.KeyID(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a, nil
}

// lay puts the authority's certificate into the folder of the lists that a post trusts, as
// one that came now by the clock of the demonstration.
func (a *authority) lay(dir string, now time.Time) error {
	file := filepath.Join(dir, "invented.pem")
	if err := os.WriteFile(file, a.pem, 0o600); err != nil {
		return problem.Wrap(problem.Internal, "demo.authority", err)
	}
	return problem.Wrap(problem.Internal, "demo.authority", os.Chtimes(file, now, now))
}

// certificate is the code of a certificate, empty where there is none. at is when its holder
// crosses.
func (a *authority) certificate(name string, p Paper, at time.Time) (string, error) {
	given, family, _ := strings.Cut(strings.ToUpper(name), " ")
	c := &proof.Claims{Issuer: a.alpha2, ID: "URN:UVCI:01:" + a.alpha2 + ":INVENTED", Until: at.AddDate(0, 6, 0), Holder: proof.Holder{FamilyICAO: family, GivenICAO: given}}
	e := proof.Event{Disease: proof.COVID19, Country: a.country, Issuer: "Invented laboratory"}
	day := func(days int) proof.Date { return must(proof.ParseDate(at.AddDate(0, 0, -days).Format(time.DateOnly))) }
	swab := func(before time.Duration) {
		e.Kind, e.TestKind, e.Result, e.Place, e.On = proof.Test, proof.Antigen, proof.Negative, "Invented laboratory", proof.At(at.Add(-before))
		c.IssuedAt = at.Add(-before + 20*time.Minute)
	}
	switch p {
	case Dosed:
		e.Kind, e.On, e.Dose, e.Of, e.Product = proof.Vaccination, day(60), 2, 2, proof.Code{System: proof.Text, Value: "EU/1/20/1528"}
		c.IssuedAt = at.AddDate(0, 0, -59)
	case Brought:
		swab(14 * time.Hour)
	case Lapsed:
		swab(26 * time.Hour)
	case Tested:
		swab(50 * time.Minute)
	default:
		return "", nil
	}
	c.Events = []proof.Event{e}
	text, err := hcert.Issue(a.key, a.id, c)
	return text, problem.Wrap(problem.Internal, "demo.certificate", err)
}

func must(d proof.Date, err error) proof.Date {
	if err != nil {
		panic(err) // a day that was written a line before
	}
	return d
}

// level brings a level of protection in at a side.
func (p *Player) level(ctx context.Context, side agreement.Side, level string, emergency bool) error {
	var a struct {
		Verdict verdict `json:"verdict"`
		Change  *struct {
			Level string    `json:"level"`
			From  time.Time `json:"from"`
		} `json:"change"`
	}
	in := map[string]any{"site": playSite, "level": level, "emergency": emergency}
	if err := p.as(side, "supervisor").call(ctx, http.MethodPost, "/api/v1/levels", p.key("level-"+level+"-"+string(side)), in, &a); err != nil {
		return err
	}
	if a.Change == nil {
		return problem.Newf(problem.Internal, "play.level", "side %s does not bring in %s: %s", side, level, a.Verdict.Outcome)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	how := ""
	if emergency {
		how = " in an emergency"
	}
	p.tally.levels = append(p.tally.levels, fmt.Sprintf("%s by side %s from %s%s", level, side, a.Change.From.In(p.day.Location()).Format("15:04"), how))
	return nil
}

// testFor asks for the slots of the health desk before a slot and chooses one, 0 where there
// is none: of the hour before alone, so that parties of different hours do not race for one.
func (p *Player) testFor(ctx context.Context, i int, slot Opening) (booking.SlotID, error) {
	party := &p.plan.Parties[i]
	var a struct {
		Tests []struct {
			ID   string    `json:"id"`
			From time.Time `json:"from"`
			Free int       `json:"free"`
		} `json:"tests"`
	}
	if err := p.as(party.Side, "clerk").call(ctx, http.MethodGet, "/api/v1/tests?slot="+strconv.FormatUint(uint64(slot.ID), 10), "", nil, &a); err != nil {
		return 0, err
	}
	if len(a.Tests) == 0 {
		return 0, nil
	}
	p.mu.Lock()
	p.tally.offered += len(party.Members)
	p.mu.Unlock()
	day := p.day
	if party.Later {
		day = day.AddDate(0, 0, 4)
	}
	for _, t := range a.Tests {
		if t.Free < len(party.Members) || int(t.From.Sub(day).Minutes()) < slot.Minute-60 {
			continue
		}
		id, err := strconv.ParseUint(t.ID, 10, 64)
		return booking.SlotID(id), problem.Wrap(problem.Internal, "play.test", err)
	}
	return 0, nil
}

// paperOf is what a visitor brings to the gate; comes is false of somebody whom the health desk keeps.
func (p *Player) paperOf(ctx context.Context, i, m int) (text string, comes bool, err error) {
	v := &p.plan.Parties[i].Members[m]
	at := p.day.Add(time.Duration(p.minute) * time.Minute)
	paper := v.Paper
	if paper == Tested && !p.states[i].tested {
		paper = Brought // no test was to be had: they bring one from elsewhere
	}
	if paper == Tested {
		p.mu.Lock()
		p.tally.tested++
		p.mu.Unlock()
		if v.Positive {
			return "", false, p.positive(ctx, i, m)
		}
	}
	text, err = p.demo.health.certificate(v.Name, paper, at)
	return text, true, err
}

// positive is what becomes of somebody whose test at the health desk is positive.
func (p *Player) positive(ctx context.Context, i, m int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.positive++
	return nil
}
