// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// authority issues health certificates.
type authority struct {
	t   *testing.T
	key *ecdsa.PrivateKey
	id  []byte
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, key, []byte("12345678")}
}

// test issues the certificate of a negative test.
func (a *authority) test(family, given string, taken, until time.Time) string {
	a.t.Helper()
	text, err := hcert.Issue(a.key, a.id, &proof.Claims{Issuer: "AT", IssuedAt: taken, Until: until, ID: "URN:UVCI:CANARYUVCI",
		Holder: proof.Holder{FamilyICAO: family, GivenICAO: given},
		Events: []proof.Event{{Kind: proof.Test, Disease: proof.COVID19, On: proof.At(taken), Country: "AUT", Issuer: "CANARYLAB", TestKind: proof.Antigen, Result: proof.Negative, Place: "CANARYPLACE"}}})
	if err != nil {
		a.t.Fatal(err)
	}
	return text
}

// lists are one list that names the authority, made at a time.
func (a *authority) lists(made time.Time) func(trust.Limits, time.Time) *verify.Lists {
	return func(limits trust.Limits, now time.Time) *verify.Lists {
		return verify.NewLists(trust.Limits{}).With(func() *trust.List {
			l := trust.NewList("test", made)
			l.AddKey(a.id, proof.Key{Public: &a.key.PublicKey, Country: "AUT"})
			return l
		}()).Limited(limits, now)
	}
}

// guardedPost is a post at which a health certificate is asked for, and nothing else that
// the gate's page cannot give.
func guardedPost(t *testing.T) (*post, *authority) {
	p := openPost(t)
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	over := fstest.MapFS{}
	err = fs.WalkDir(sub, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(sub, path)
		if path == "clauses/example.yaml" {
			with := bytes.Replace(b, []byte(`require: "!screening.contact"`), []byte(`require: "true"`), 1)
			if bytes.Equal(with, b) {
				t.Error("the clause of contacts is another one")
			}
			b = with
		}
		if path == "parameters/example.yaml" {
			for _, x := range [][2]string{{"value: 48, source: example}\n  - id: trust.refuse", "value: 24, source: example}\n  - id: trust.refuse"}, {"value: 336, source", "value: 72, source"}} {
				with := bytes.Replace(b, []byte(x[0]), []byte(x[1]), 1)
				if bytes.Equal(with, b) {
					t.Errorf("the package has no %q", x[0])
				}
				b = with
			}
		}
		over[path] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(over)
	if err != nil {
		t.Fatal(err)
	}
	if p.law, err = rules.Compile(e); err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	p.s.deps.Proofs = a.lists(p.clock())
	boss := p.appoint("boss", people.Supervisor)
	p.do(service.SetLevel{Site: 1, Level: "guarded", Emergency: true, Officer: boss})
	return p, a
}

// carry is what the page takes along in the scanner's form.
func (b *browser) carry() string {
	for _, in := range inputTag.FindAllString(b.body, -1) {
		if attr(in, "name") == "carry" && attr(in, "form") == "scan" {
			return attr(in, "value")
		}
	}
	return ""
}

// scanWith scans with what the page takes along, as the scanner's form does.
func (b *browser) scanWith(text string) *browser {
	b.p.t.Helper()
	v := b.fields("/en/gate", `id="text"`)
	v.Set("text", text)
	v.Set("direction", "in")
	if c := b.carry(); c != "" {
		v.Set("carry", c)
	}
	return b.postForm("/en/gate", v)
}

// noCanary holds that nothing of a certificate is kept or said anywhere.
func (p *post) noCanary() {
	p.t.Helper()
	have := p.log.String()
	for _, f := range p.mem.Facts() {
		body, err := service.NewCodec().Encode(f.Fact)
		if err != nil {
			p.t.Fatal(err)
		}
		have += string(body)
	}
	for _, canary := range []string{"CANARY", "KHANZADA", "HC1:", "antigen", "negative"} {
		if strings.Contains(have, canary) {
			p.t.Errorf("%s is kept", canary)
		}
	}
}

// TestGateProof scans pass and certificate in both orders; the page takes along what was
// scanned, sealed, and forgets it with the answer.
func TestGateProof(t *testing.T) {
	p, a := guardedPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Health)
	now := p.clock()
	good := a.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))

	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.get("/en/gate").scanWith(tr.text).wants("A health certificate is asked for")
	if b.outcome() != "HOLD" {
		t.Fatalf("without a certificate: %s", b.outcome())
	}
	b.complete(tr)
	if b.outcome() != "HOLD" || b.carry() == "" {
		t.Fatalf("without a certificate: %s\n%s", b.outcome(), b.text())
	}
	if strings.Contains(b.body, "AUT") {
		t.Error("what is carried can be read")
	}
	if b.scanWith(good); b.outcome() != "ALLOW" || b.carry() != "" || !p.presence(tr).Inside {
		t.Errorf("pass first: %s, carries %q\n%s", b.outcome(), b.carry(), b.text())
	}

	tr = p.book(10, cnicB, "Bibi Gul", 0)
	b.get("/en/gate").scanWith(good).wants("Certificate read", "Now scan the pass")
	b.scanWith(tr.text)
	b.complete(tr)
	if b.outcome() != "ALLOW" || b.carry() != "" || !p.presence(tr).Inside {
		t.Errorf("certificate first: %s\n%s", b.outcome(), b.text())
	}

	// One that is too old: the page says which would do.
	tr = p.book(10, "54400-1111111-1", "Bibi Gul", 0)
	b.get("/en/gate").scanWith(a.test("GUL", "BIBI", now.Add(-60*time.Hour), now.Add(72*time.Hour)))
	b.scanWith(tr.text)
	b.complete(tr)
	if b.outcome() == "ALLOW" {
		t.Fatal("a test of 60 hours will do")
	}
	b.wants("What would change this answer", "another one: test, COVID-19, rapid test, negative, not before 1 September 2025", "not after 2 September 2025", "another one: vaccination, COVID-19")
	p.noCanary()
}

// TestGateProofAnswers holds that each kind of certificate has its own answer.
func TestGateProofAnswers(t *testing.T) {
	for _, c := range []struct {
		what   string
		text   func(p *post, a *authority, now time.Time) string
		want   string
		says   string
		owner  bool
		within func(p *post, a *authority)
	}{
		{"theirs", func(p *post, a *authority, now time.Time) string {
			return a.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "ALLOW", "", false, nil},
		{"spelt otherwise", func(p *post, a *authority, now time.Time) string {
			return a.test("GOUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "spelt differently", true, nil},
		{"somebody else's", func(p *post, a *authority, now time.Time) string {
			return a.test("KHANZADA", "CANARY", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "somebody else", true, nil},
		{"expired", func(p *post, a *authority, now time.Time) string {
			return a.test("GUL", "BIBI", now.Add(-2*time.Hour), now.Add(-time.Hour))
		}, "HOLD", "no longer valid", false, nil},
		{"forged", func(p *post, a *authority, now time.Time) string {
			return newAuthority(p.t).test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "not genuine", false, nil},
		{"of nobody known", func(p *post, a *authority, now time.Time) string {
			o := newAuthority(p.t)
			o.id = []byte("87654321")
			return o.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "not on any list", false, nil},
		{"damaged", func(p *post, a *authority, now time.Time) string { return "HC1:6BFOXN" }, "HOLD", "cannot be read", false, nil},
		{"with a stale list", func(p *post, a *authority, now time.Time) string {
			return a.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "ALLOW", "list of keys by which", false, func(p *post, a *authority) { p.s.deps.Proofs = a.lists(p.clock().Add(-25 * time.Hour)) }},
		{"with a list that is too old", func(p *post, a *authority, now time.Time) string {
			return a.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "could not be checked", false, func(p *post, a *authority) { p.s.deps.Proofs = a.lists(p.clock().Add(-73 * time.Hour)) }},
		{"without lists", func(p *post, a *authority, now time.Time) string {
			return a.test("GUL", "BIBI", now.Add(-time.Hour), now.Add(72*time.Hour))
		}, "REFER", "could not be checked", false, func(p *post, a *authority) { p.s.deps.Proofs = nil }},
	} {
		t.Run(c.what, func(t *testing.T) {
			p, a := guardedPost(t)
			if c.within != nil {
				c.within(p, a)
			}
			b := p.signedIn("mand", people.GateOfficer, people.Health)
			tr := p.book(10, cnicA, "Bibi Gul", 0)
			b.get("/en/gate").scanWith(c.text(p, a, p.clock()))
			b.scanWith(tr.text)
			b.complete(tr)
			if b.outcome() != c.want {
				t.Fatalf("%s, want %s\n%s", b.outcome(), c.want, b.text())
			}
			if c.says != "" {
				b.wants(c.says)
			}
			if c.owner {
				v := b.fields("/en/gate", `name="owner"`)
				v.Set("owner", "yes")
				if b.postForm("/en/gate", v); b.outcome() != "ALLOW" || !p.presence(tr).Inside {
					t.Errorf("compared: %s\n%s", b.outcome(), b.text())
				}
			} else if strings.Contains(b.body, `name="owner"`) {
				t.Error("an officer is asked to compare")
			}
			p.noCanary()
		})
	}
}

// TestGateProofIsForgotten holds that what is carried is one officer's at one site for a
// few minutes, and never the next traveller's.
func TestGateProofIsForgotten(t *testing.T) {
	p, a := guardedPost(t)
	b := p.signedIn("mand", people.GateOfficer, people.Health)
	now := p.clock()
	first, next := p.book(10, cnicA, "Bibi Gul", 0), p.book(10, cnicB, "Zar Khan", 0)
	b.get("/en/gate").scanWith(a.test("KHANZADA", "CANARY", now.Add(-time.Hour), now.Add(72*time.Hour)))
	carry := b.carry()
	b.scanWith(first.text)
	b.complete(first)
	if b.outcome() != "REFER" {
		t.Fatalf("%s\n%s", b.outcome(), b.text())
	}
	b.scanWith(next.text)
	b.complete(next)
	if b.outcome() != "HOLD" {
		t.Errorf("the next traveller got the certificate of the first: %s", b.outcome())
	}
	o := p.appoint("other", people.GateOfficer)
	if c := p.s.tokens.openCarried(carry, o, 1, now); c.waits() {
		t.Error("another officer can open it")
	}
	mine := p.s.tokens
	var id people.OfficerID
	p.s.deps.Reader.View(context.Background(), func(st service.State) error {
		x, _ := service.OfficerByLogin(st, "mand")
		id = x.ID
		return nil
	})
	if c := mine.openCarried(carry, id, 1, now); !c.waits() {
		t.Error("its own officer cannot open it")
	}
	if mine.openCarried(carry, id, 2, now).waits() || mine.openCarried(carry, id, 1, now.Add(carriedFor)).waits() {
		t.Error("it is good at another site, or for ever")
	}
}

// TestAskTakesTheLevelInForce: whoever supposes no level of protection asks under the one
// that holds then, and is told so.
func TestAskTakesTheLevelInForce(t *testing.T) {
	p, _ := guardedPost(t)
	b := p.browser()
	b.get("/en/ask?site=mand-pishin&point=gate&side=A&day=2025-09-02&time=10:30").wants("level of protection in force then, Guarded")
	b.get("/en/ask?site=mand-pishin&point=gate&side=A&day=2025-09-20&time=10:30").wants("level of protection in force then, Normal")
}

// TestAskProof: to whoever supposes a certificate that will not do the page says which would,
// in each language, and which field of it.
func TestAskProof(t *testing.T) {
	p, _ := guardedPost(t)
	b := p.browser()
	const path = "ask?site=mand-pishin&point=gate&side=A&day=2025-09-02&time=10:30"
	for _, c := range []struct {
		lang  string
		wants []string
	}{
		{"en", []string{"another one: test, COVID-19, rapid test, negative, not before 1 September 2025", "not after 2 September 2025", "another one: vaccination, COVID-19"}},
		{"fa", []string{"یکی دیگر: آزمایش", "نه پیش از", "یکی دیگر: واکسیناسیون"}},
		{"ur", []string{"ایک اور: ٹیسٹ", "سے پہلے کا نہیں", "ایک اور: ویکسین"}},
	} {
		b.get("/" + c.lang + "/" + path)
		v := b.fields("/" + c.lang + "/ask")
		for k, x := range map[string]string{"f.class": "visitor", "f.direction": "in", "f.person.document": "cnic", "f.person.country": "PAK", "f.person.identified": "yes", "f.vendor.card": "no", "f.occupancy.inside": "3",
			"f.party.size": "1", "f.party.adults": "1", "f.party.children": "0", "f.screening.temperature": "36.6", "f.screening.symptoms": "no", "f.screening.contact": "no", "f.slot.from": "2025-09-02 10:00",
			"e.proof": "some", "e.proof.1": "2025-09-02", "e.proof.1.time": "08:00", "e.proof.1.proof.kind": "test", "e.proof.1.proof.disease": "covid19", "e.proof.1.proof.test": "antigen", "e.proof.1.proof.result": "positive"} {
			v.Set(k, x)
		}
		b.postForm("/"+c.lang+"/ask", v)
		b.wants(c.wants...)
	}
}
