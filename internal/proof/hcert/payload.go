// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/proof"
)

// The bounds of a payload. The largest that is known has six maps of eleven pairs and two
// levels below them.
const (
	maxItems  = 4096
	maxPairs  = 64
	maxDepth  = 12
	maxEvents = 16
)

// Claims of a CWT by their numbers (RFC 8392 section 4; -260 is the registered claim of
// health certificates).
const (
	claimIssuer  = 1
	claimExpires = 4
	claimBefore  = 5
	claimIssued  = 6
	claimHealth  = -260
)

// The numbers below claim -260. The WHO's is provisional and may change; it stands here
// and nowhere else.
const (
	subDCC = 1
	subDVC = -6
)

// A parser walks over one payload. Every map is walked with next, so that no key stands
// twice in any.
type parser struct {
	r     cose.Reader
	s     string // the payload again, of which the claims' texts are parts
	items int
	depth int
	seen  []key // those of the open maps, the innermost last; used again
	doc   *Document
}

// A key of a map is an integer or a text.
type key struct {
	text   string
	number int64
	isText bool
}

// wipe forgets what was read.
func (p *parser) wipe() {
	*p = parser{seen: p.seen[:0]}
}

func (d *Document) payload(b []byte, p *parser) proof.Fault {
	p.r, p.s, p.doc = cose.NewLooseReader(b), string(b), d
	d.room = new(room)
	d.Claims = &d.room.claims
	d.Claims.Assurance = proof.Claimed
	d.Claims.Events = d.room.events[:0]
	known, expires := false, false
	p.tags()
	p.each(func(k key) {
		if k.isText {
			p.skip()
			return
		}
		c := d.Claims
		switch k.number {
		case claimIssuer:
			c.Issuer = p.text()
			c.Country = country(c.Issuer)
		case claimExpires:
			c.Until, _ = p.time()
			expires = !c.Until.IsZero()
		case claimBefore, claimIssued:
			at, exact := p.time()
			if at.IsZero() {
				break
			}
			if k.number == claimIssued {
				c.IssuedAt = at
			}
			// What begins within a second has begun with the next one.
			if !exact {
				at = at.Add(time.Second)
			}
			if at.After(c.From) {
				c.From = at
			}
		case claimHealth:
			p.each(func(k key) {
				switch {
				case !k.isText && k.number == subDCC && !known:
					known = true
					c.Format = proof.DCC
					p.mustMap()
					p.dcc()
				case !k.isText && k.number == subDVC && !known:
					known = true
					c.Format = proof.DVC
					p.each1(func() { p.mustMap(); p.dvc() })
				default:
					p.skip()
				}
			})
		default:
			p.skip()
		}
	})
	if !p.r.Done() {
		return proof.Unreadable
	}
	if !known {
		return proof.Unsupported
	}
	c := d.Claims
	if len(c.Events) == 0 {
		c.Events = nil
	}
	if len(c.Events) == 0 || c.Format == proof.DCC && !expires {
		d.Fault = proof.Content
	}
	for i := range c.Events {
		if c.ID == "" {
			c.ID = c.Events[i].ID
		}
	}
	return ""
}

// country returns the code of the country that an issuer writes, "" where it writes
// something else.
func country(s string) string {
	c, _ := proof.Country(s)
	return c
}

func (p *parser) note(f proof.Fault) {
	if !slices.Contains(p.doc.Notes, f) {
		p.doc.Notes = append(p.doc.Notes, f)
	}
}

// count counts an item against the bound.
func (p *parser) count() {
	if p.items++; p.items > maxItems {
		p.r.Fail()
	}
}

// tags drops the tags before an item: of dates, of the encoding itself, and any other.
// What was tagged is read by its type.
func (p *parser) tags() {
	for p.r.Major() == cose.MajorTag && p.r.Ok() {
		p.r.Tag()
		p.count()
	}
}

// each calls f for each pair of a map, with its key; f takes the value. Another item than
// a map is walked over.
func (p *parser) each(f func(key)) {
	p.tags()
	if p.r.Major() != cose.MajorMap {
		p.skip()
		return
	}
	if p.depth++; p.depth > maxDepth {
		p.r.Fail()
	}
	base := len(p.seen)
	if p.seen == nil {
		p.seen = make([]key, 0, 48)
	}
	for n := p.r.Map(); p.r.More(&n); {
		p.count()
		k, ok := p.key()
		if !ok || len(p.seen)-base == maxPairs || twice(p.seen[base:], k) {
			p.r.Fail()
			break
		}
		p.seen = append(p.seen, k)
		f(k)
	}
	clear(p.seen[base:])
	p.seen = p.seen[:base]
	p.depth--
}

// twice reports whether a key stands among others.
func twice(seen []key, k key) bool {
	for i := range seen {
		if s := &seen[i]; len(s.text) == len(k.text) && s.number == k.number && s.isText == k.isText && s.text == k.text {
			return true
		}
	}
	return false
}

// mustMap makes it a fault that something else than a map follows.
func (p *parser) mustMap() {
	if p.tags(); p.r.Major() != cose.MajorMap {
		p.r.Fail()
	}
}

func (p *parser) key() (k key, ok bool) {
	switch p.r.Major() {
	case cose.MajorText:
		k.text, k.isText = p.string(), true
	case cose.MajorUint, cose.MajorNint:
		k.number = p.r.Int()
	default:
		return k, false
	}
	return k, p.r.Ok()
}

// each1 calls f for each item of an array, or for the one item that is none.
func (p *parser) each1(f func()) {
	p.tags()
	if p.r.Major() != cose.MajorArray {
		p.count()
		f()
		return
	}
	if p.depth++; p.depth > maxDepth {
		p.r.Fail()
	}
	for n := p.r.Array(); p.r.More(&n); {
		p.count()
		f()
	}
	p.depth--
}

// skip walks over one item.
func (p *parser) skip() {
	p.tags()
	p.count()
	switch p.r.Major() {
	case cose.MajorArray:
		p.each1(p.skip)
	case cose.MajorMap:
		p.each(func(key) { p.skip() })
	default:
		p.r.Skip()
	}
}

// string takes a text as a part of the payload's.
func (p *parser) string() string {
	if b, ok := p.r.Short(); ok {
		end := len(p.s) - p.r.Left()
		return p.s[end-len(b) : end]
	}
	pieces := p.r.Peek() == cose.MajorText<<5|31
	b := p.r.TextBytes()
	if pieces {
		return string(b)
	}
	if !p.r.Ok() {
		return ""
	}
	end := len(p.s) - p.r.Left()
	return p.s[end-len(b) : end]
}

// text takes a text, of whatever tag; null and everything that is no text are "".
func (p *parser) text() string {
	p.tags()
	if p.r.Major() != cose.MajorText {
		p.skip()
		return ""
	}
	p.count()
	return p.string()
}

// time takes an instant: a number of seconds since 1970, or a date with its offset
// (RFC 8949 sections 3.4.1 and 3.4.2). It is zero where there is none, and exact where
// it is a whole second.
func (p *parser) time() (at time.Time, exact bool) {
	p.tags()
	p.count()
	switch {
	case p.r.Null():
		return time.Time{}, false
	case p.r.Major() == cose.MajorText:
		d, err := proof.ParseDate(p.string())
		if err != nil || d.Precision != proof.Second || !d.HasOffset {
			p.note(proof.DateUnclear)
			return time.Time{}, false
		}
		at, _ = d.First(nil)
		return at, true
	}
	sec, exact := p.r.Floor()
	// Beyond the year 9999 nothing is a time of a certificate: milliseconds, perhaps.
	if !p.r.Ok() || sec < 0 || sec > 253402300799 {
		p.r.Fail()
		return time.Time{}, false
	}
	return time.Unix(sec, 0).UTC(), exact
}

// number takes a small whole number, also where it is written as a fraction of one or as
// a text. What is none, and not absent, is a fault of the content.
func (p *parser) number() int {
	p.tags()
	p.count()
	switch {
	case p.r.Null():
		return 0
	case p.r.Major() == cose.MajorText:
		return p.small(p.string())
	}
	v, exact := p.r.Floor()
	if !exact || v < 0 || v > 99 {
		p.doc.Fault = proof.Content
		return 0
	}
	return int(v)
}

func (p *parser) small(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 9 {
			p.doc.Fault = proof.Content
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// date takes a date. One that is none is left out, and noted.
func (p *parser) date() proof.Date {
	s := p.text()
	if s == "" {
		return proof.Date{}
	}
	d, err := proof.ParseDate(s)
	if err != nil {
		p.note(proof.DateUnclear)
	}
	return d
}

// birth takes a date of birth as far as it is known. Besides what ParseDate reads, months
// and days are written as "00" or "XX" where they are not known, and an empty text is
// nothing known at all.
func (p *parser) birth() identity.PartialDate {
	s := p.text()
	if s == "" {
		return identity.PartialDate{}
	}
	if len(s) > 10 && (s[10] == 'T' || s[10] == ' ') {
		s = s[:10]
	}
	for {
		short, ok := strings.CutSuffix(s, "-00")
		if !ok {
			if short, ok = strings.CutSuffix(s, "-XX"); !ok {
				break
			}
		}
		s = short
	}
	d, err := proof.ParseDate(s)
	if err != nil {
		p.note(proof.DateUnclear)
	}
	return identity.PartialDate{Year: d.Year, Month: int(d.Month), Day: d.Day}
}

// add returns a new event to fill in, or nil where there are too many.
func (p *parser) add(k proof.Kind) *proof.Event {
	c := p.doc.Claims
	if len(c.Events) == maxEvents {
		p.r.Fail()
		return nil
	}
	c.Events = append(c.Events, proof.Event{Kind: k})
	return &c.Events[len(c.Events)-1]
}

// disease sets what an event is against or about.
func (p *parser) disease(e *proof.Event, system proof.System, code string) {
	e.DiseaseCode = proof.Code{System: system, Value: code}
	var ok bool
	if e.Disease, ok = proof.DiseaseOf(system, code); !ok {
		p.note(proof.UnknownDisease)
	}
}
