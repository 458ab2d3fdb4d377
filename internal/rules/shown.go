// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/proof"
)

// MaxProofs is how many events of health certificates one question has at most: a card of
// many years has some twenty.
const MaxProofs = 32

// maxCertificate is how many bytes of a certificate a question has at most.
const maxCertificate = 64 << 10

// A Proof is one event of a genuine health certificate, in the words that clauses read. It
// names nobody, and neither the certificate nor what it was given from. Texts are empty,
// figures 0 and times zero where the certificate does not say.
type Proof struct {
	Kind      string `cbor:"1,keyasint,omitempty" json:"k,omitempty"`
	Disease   string `cbor:"2,keyasint,omitempty" json:"d,omitempty"`
	Product   string `cbor:"3,keyasint,omitempty" json:"p,omitempty"`
	Dose      int64  `cbor:"4,keyasint,omitempty" json:"n,omitempty"`
	Doses     int64  `cbor:"5,keyasint,omitempty" json:"m,omitempty"`
	Test      string `cbor:"6,keyasint,omitempty" json:"t,omitempty"`
	Result    string `cbor:"7,keyasint,omitempty" json:"r,omitempty"`
	Country   string `cbor:"8,keyasint,omitempty" json:"c,omitempty"`
	Issuer    string `cbor:"9,keyasint,omitempty" json:"i,omitempty"`
	Format    string `cbor:"10,keyasint,omitempty" json:"f,omitempty"`
	Assurance string `cbor:"11,keyasint,omitempty" json:"a,omitempty"`
	// Earliest and Latest are what the date of the event can mean, From and Until the
	// validity that its issuer gave it: seconds since 1970, 0 where not known.
	Earliest int64 `cbor:"12,keyasint,omitempty" json:"e,omitempty"`
	Latest   int64 `cbor:"13,keyasint,omitempty" json:"l,omitempty"`
	From     int64 `cbor:"14,keyasint,omitempty" json:"v,omitempty"`
	Until    int64 `cbor:"15,keyasint,omitempty" json:"u,omitempty"`
}

// String returns "[redacted]": it says something of somebody's health.
func (Proof) String() string { return "[redacted]" }

// GoString is String, for the verb that would print the fields.
func (Proof) GoString() string { return "[redacted]" }

// Proofs returns the events of a certificate that was looked at, and none of one that is
// not genuine. A date without a zone is by the clocks of zone. Of the certificate's own
// validity and the event's the narrower counts.
func Proofs(r *proof.Result, zone *time.Location) []Proof {
	if !r.Genuine() || r.Claims.Assurance != proof.Signed && r.Claims.Assurance != proof.Attested {
		return nil
	}
	c := r.Claims
	var out []Proof
	for i := range c.Events {
		if len(out) == MaxProofs {
			break
		}
		e := &c.Events[i]
		p := Proof{Kind: string(e.Kind), Disease: string(e.Disease), Product: e.Product.Value, Dose: int64(e.Dose), Doses: int64(e.Of), Test: string(e.TestKind),
			Result: string(e.Result), Country: e.Country, Issuer: e.Issuer, Format: string(c.Format), Assurance: string(c.Assurance)}
		if p.Product == "" {
			p.Product = e.Type.Value
		}
		if p.Country == "" {
			p.Country = c.Country
		}
		if t, ok := e.On.First(zone); ok {
			last, _ := e.On.Last(zone)
			p.Earliest, p.Latest = t.Unix(), last.Unix()
		}
		if t, ok := e.From.First(zone); ok {
			p.From = t.Unix()
		}
		if t, ok := e.Until.Last(zone); ok {
			p.Until = t.Unix()
		}
		if !c.From.IsZero() {
			p.From = max(p.From, c.From.Unix())
		}
		if u := c.Until.Unix(); !c.Until.IsZero() && (p.Until == 0 || u < p.Until) {
			p.Until = u
		}
		out = append(out, p)
	}
	return out
}

// Event returns the proof as an event of kind proof, with the fields that an edition
// declares and no others.
func (p Proof) Event(e *agreement.Edition) Event {
	all := Facts{}
	for name, s := range map[string]string{proofKind: p.Kind, proofDisease: p.Disease, proofProduct: p.Product, proofTest: p.Test, proofResult: p.Result,
		proofCountry: p.Country, "proof.issuer": p.Issuer, "proof.format": p.Format, "proof.assurance": p.Assurance} {
		if s != "" {
			all[name] = s
		}
	}
	for name, n := range map[string]int64{proofDose: p.Dose, proofDoses: p.Doses} {
		if n > 0 {
			all[name] = n
		}
	}
	for name, n := range map[string]int64{proofEarliest: p.Earliest, proofLatest: p.Latest, proofFrom: p.From, proofUntil: p.Until} {
		if n != 0 {
			all[name] = time.Unix(n, 0).UTC()
		}
	}
	fields := e.Events[agreement.EventProof].Fields
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(fields, name) })
	out := Event{Facts: all}
	asked := slices.Contains(fields, proofEarliest) && slices.Contains(fields, proofLatest)
	const day = 24*60*60 + 60*60 // the longest, when clocks go back
	if p.Earliest != 0 && (p.Earliest == p.Latest || !asked && p.Latest-p.Earliest < day) {
		// To an edition that does not ask how exact a date is a day is its beginning.
		out.At = time.Unix(p.Earliest, 0).UTC()
	}
	return out
}

// A Shown is what a desk was shown of health certificates. It is read once and kept nowhere.
type Shown struct {
	// Proofs are the events of the genuine ones, empty where none is genuine.
	Proofs []Proof `cbor:"1,keyasint,omitempty" json:"p,omitempty"`
	// Certificate is a genuine one as published rules read it, in JSON as
	// certlogic.ParseCertificate takes it; empty where there is none of that form.
	Certificate []byte `cbor:"2,keyasint,omitempty" json:"c,omitempty"`
}

// String returns "[redacted]".
func (Shown) String() string { return "[redacted]" }

// GoString is String.
func (Shown) GoString() string { return "[redacted]" }

// Any reports whether a genuine certificate was shown.
func (s Shown) Any() bool { return len(s.Proofs) > 0 || len(s.Certificate) > 0 }

// Possible reports whether it is no more than a desk can have been shown.
func (s Shown) Possible() bool {
	return len(s.Proofs) <= MaxProofs && len(s.Certificate) <= maxCertificate
}

// Into adds what was shown to a question, for the editions that answer at its site: events
// of kind proof, and the certificate under each attribute of that type. Without any nothing
// is added: what was not shown is not known.
func (s Shown) Into(l *Law, q *Query) {
	if !s.Any() {
		return
	}
	var cert *certlogic.Certificate
	if len(s.Certificate) > 0 {
		cert, _ = certlogic.ParseCertificate(s.Certificate)
	}
	for _, e := range l.EditionsAt(q.Site, q.At) {
		if _, ok := e.Events[agreement.EventProof]; ok && q.Events[agreement.EventProof] == nil {
			events := make([]Event, len(s.Proofs))
			for i, p := range s.Proofs {
				events[i] = p.Event(l.fullest(q, agreement.EventProof))
			}
			if q.Events == nil {
				q.Events = map[string][]Event{}
			}
			q.Events[agreement.EventProof] = events
		}
		for id, a := range e.Attributes {
			if a.Type == agreement.TypeCertificate && cert != nil {
				if q.Facts == nil {
					q.Facts = Facts{}
				}
				q.Facts[id] = cert
			}
		}
	}
}

// fullest returns, of the editions that answer a question, one whose kind of events has
// every field that any of them declares: each reads its own.
func (l *Law) fullest(q *Query, kind string) *agreement.Edition {
	es := l.EditionsAt(q.Site, q.At)
	if len(es) == 1 {
		return es[0]
	}
	var fields []string
	for _, e := range es {
		fields = append(fields, e.Events[kind].Fields...)
	}
	slices.Sort(fields)
	return &agreement.Edition{Events: map[string]agreement.EventKind{kind: {ID: kind, Fields: slices.Compact(fields)}}}
}

// Wants reports whether an answer waits for a health certificate that was not shown.
func (l *Law) Wants(v Verdict, site string) bool {
	for _, m := range v.Missing {
		if m == agreement.EventProof {
			return true
		}
		for _, e := range l.EditionsAt(site, v.At) {
			if e.Attributes[m].Type == agreement.TypeCertificate {
				return true
			}
		}
	}
	return false
}

var errCertificate = errors.New("rules: not a certificate that published rules read")

// CertificateJSON returns a genuine certificate as certlogic.ParseCertificate reads it, of
// the JSON of its payload (claim -260, sub-claim 1).
func CertificateJSON(r *proof.Result, payload []byte) ([]byte, error) {
	if !r.Genuine() {
		return nil, errCertificate
	}
	out := map[string]any{"payload": json.RawMessage(payload)}
	if c, ok := identity.Alpha2(r.Claims.Country); ok {
		out["issuer"] = c
	}
	if len(r.KeyID) > 0 {
		out["kid"] = base64.StdEncoding.EncodeToString(r.KeyID)
	}
	for name, t := range map[string]time.Time{"issued": r.Claims.IssuedAt, "expires": r.Claims.Until} {
		if !t.IsZero() {
			out[name] = t.UTC().Format(time.RFC3339)
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, errCertificate
	}
	if _, err := certlogic.ParseCertificate(b); err != nil {
		return nil, err
	}
	return b, nil
}
