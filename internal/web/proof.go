// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/vdsnc"
	"darwaza.dev/internal/proof/verify"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

const (
	// carriedFor is how long what was scanned of somebody is carried to the next scan.
	carriedFor = 10 * time.Minute
	// maxParts is how many QR codes of one card are carried until the last one is there.
	maxParts = 12
)

// carried is what the gate's page takes along from one scan to the next, so that a pass and
// a health certificate may come in either order: sealed, and kept nowhere else. It ends
// with the answer that needs nothing more.
type carried struct {
	Pass      string            `json:"p,omitempty"` // text of the pass that waits for its certificate
	Found     string            `json:"f,omitempty"` // or the booking that was found, with the document
	Document  string            `json:"d,omitempty"`
	Seen      bool              `json:"s,omitempty"`
	Out       bool              `json:"o,omitempty"`
	Again     uint64            `json:"n,omitempty"`
	Screening service.Screening `json:"m,omitzero"`
	Shown     rules.Shown       `json:"h,omitzero"`
	Why       []reason.Code     `json:"w,omitempty"`
	Holders   []proofHolder     `json:"l,omitempty"`
	Compared  bool              `json:"c,omitempty"`
	Parts     []string          `json:"q,omitempty"` // codes of a card of which others are still to be scanned
	Until     int64             `json:"x"`           // seconds since 1970
}

// proofHolder is whom a genuine certificate names.
type proofHolder struct {
	Name     string               `json:"n,omitempty"`
	ICAO     string               `json:"i,omitempty"`
	Birth    identity.PartialDate `json:"b,omitzero"`
	Document string               `json:"d,omitempty"`
}

// waits reports whether something is carried that a scan completes.
func (c carried) waits() bool {
	return c.Pass != "" || c.Found != "" || c.Shown.Any() || len(c.Why) > 0 || len(c.Parts) > 0
}

func carriedAs(o people.OfficerID, site uint16) []byte {
	return fmt.Appendf(nil, "darwaza.dev/gate/carried/1\n%d\n%s", site, o)
}

// sealCarried returns base64url( nonce, 12 bytes ‖ AES-256-GCM of the JSON ), with the
// officer and the site as additional data, and nothing where nothing waits.
func (k *tokens) sealCarried(c carried, o people.OfficerID, site uint16, now time.Time) (string, error) {
	if !c.waits() {
		return "", nil
	}
	c.Until = now.Add(carriedFor).Unix()
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return "", fmt.Errorf("web: no random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, carriedAs(o, site))), nil
}

// openCarried returns nothing where the text is not one of this side's for that officer and
// site, or has ended: the gate begins anew.
func (k *tokens) openCarried(text string, o people.OfficerID, site uint16, now time.Time) (c carried) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	n := k.aead.NonceSize()
	if err != nil || len(raw) < n {
		return carried{}
	}
	plain, err := k.aead.Open(nil, raw[:n], raw[n:], carriedAs(o, site))
	if err != nil || json.Unmarshal(plain, &c) != nil || now.Unix() >= c.Until {
		return carried{}
	}
	return c
}

// isProof reports whether a text is meant as a health certificate.
func isProof(text string) bool {
	return hcert.IsPrefixed(text) || shc.Known([]byte(text)) || vdsnc.Known([]byte(text))
}

// trusted returns the lists by which certificates are believed at a site, with the limits
// of their age that the agreement gives there.
func (s *server) trusted(siteID string, now time.Time) *verify.Lists {
	if s.deps.Proofs == nil {
		return verify.NewLists(trust.Limits{}).Limited(trust.Limits{}, now)
	}
	hours := func(id string) time.Duration {
		n, _ := s.deps.Law().Param(id, siteID, s.deps.Side, now)
		return time.Duration(min(max(n, 0), 1_000_000)) * time.Hour
	}
	return s.deps.Proofs(trust.Limits{Stale: hours("trust.stale"), TooOld: hours("trust.refuse")}, now)
}

// readProofs verifies the certificates of a text and adds what they are to what is carried.
func (c *carried) readProofs(text string, lists *verify.Lists, zone *time.Location, now time.Time) {
	whole := strings.Join(append(slices.Clone(c.Parts), text), "\n")
	rs := verify.Text([]byte(whole), lists, lists, now)
	c.Parts = nil
	for i := range rs {
		r := &rs[i]
		if slices.Contains(r.Faults, proof.Incomplete) {
			if parts := strings.Fields(whole); len(parts) <= maxParts {
				slices.Sort(parts)
				c.Parts = slices.Compact(parts)
				continue
			}
		}
		c.seen(r, payloadOf(whole), zone)
	}
}

// seen takes note of a certificate that was verified, or of a paper that an officer attests.
// payload is what published rules read of it, nil where they read nothing.
func (c *carried) seen(r *proof.Result, payload []byte, zone *time.Location) {
	if code := gate.ProofCode(r); code != "" && !slices.Contains(c.Why, code) && len(c.Why) < 8 {
		c.Why = append(c.Why, code)
	}
	if !r.Genuine() {
		return
	}
	// What could not be read, or is over, does not matter beside one that counts.
	c.Why = slices.DeleteFunc(c.Why, func(w reason.Code) bool {
		return w == gate.CodeProofUnreadable || w == gate.CodeProofExpired || w == gate.CodeProofEarly
	})
	c.take(r, payload, zone)
}

// evidence is what is carried as the gate's desk takes it. name is the holder's as this
// side's booking has it, empty where it has none, and document what was read of their
// document.
func (c *carried) evidence(name, document string, now time.Time) gate.Evidence {
	e := gate.Evidence{Shown: c.Shown, Why: c.Why, Compared: c.Compared}
	if !c.Shown.Any() {
		return e
	}
	birth, number := identity.PartialDate{}, document
	if m, err := identity.ParseMRZ(document); err == nil {
		name, birth, number = m.Name(), m.Birth(calendar.On(now, time.UTC)), m.Number
	}
	e.Holder = identity.Same
	for _, h := range c.Holders {
		if g := h.grade(name, birth, number); worse(g, e.Holder) {
			e.Holder = g
		}
	}
	if len(c.Holders) == 0 {
		e.Holder = identity.Unknown
	}
	return e
}

// worse reports whether a grade leaves more to an officer than another.
func worse(a, b identity.Grade) bool {
	rank := [...]int{identity.Same: 0, identity.Close: 1, identity.Unknown: 2, identity.Different: 3}
	return rank[a] > rank[b]
}

// grade compares whom a certificate names with a name, a birth and the number of a
// document, each of them possibly empty. Of the two spellings of a certificate the one
// that fits better counts.
func (h proofHolder) grade(name string, birth identity.PartialDate, number string) identity.Grade {
	plain := func(s string) string {
		return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "<", "").Replace(s))
	}
	if h.Document != "" && number != "" && plain(h.Document) == plain(number) {
		return identity.Same
	}
	if name == "" {
		return identity.Unknown
	}
	g, other := identity.Compare(h.Name, name), identity.Compare(h.ICAO, name)
	if g == identity.Unknown || other != identity.Unknown && worse(g, other) {
		g = other
	}
	differ := func(a, b int) bool { return a != 0 && b != 0 && a != b }
	if differ(h.Birth.Year, birth.Year) || differ(h.Birth.Month, birth.Month) || differ(h.Birth.Day, birth.Day) {
		return identity.Different
	}
	return g
}

// proofView is what the page says of a certificate that was scanned before its pass.
type proofView struct {
	Genuine bool
	Part    bool // others of the card's codes are still to be scanned
	Reasons []reasonLine
}

// proofSeen is what is to be said of what is carried.
func (s *server) proofSeen(r *request, c *carried) *proofView {
	v := &proofView{Genuine: c.Shown.Any(), Part: len(c.Parts) > 0}
	said := rules.Verdict{At: r.Now}
	for _, d := range gate.Declared() {
		if slices.Contains(c.Why, d.Code) {
			said.Reasons = append(said.Reasons, reason.Reason{Code: d.Code, Outcome: d.Outcome})
		}
	}
	v.Reasons = s.reasonLines(r.Lang, said)
	return v
}

// said is whom a certificate names, for the officer who compares.
func (h proofHolder) said() string {
	s := h.Name
	if h.ICAO != "" && h.ICAO != h.Name {
		s += " (" + strings.TrimSpace(h.ICAO) + ")"
	}
	if b := h.Birth; b.Year != 0 {
		s += fmt.Sprintf(" · %04d", b.Year)
		if b.Month != 0 {
			s += fmt.Sprintf("-%02d", b.Month)
			if b.Day != 0 {
				s += fmt.Sprintf("-%02d", b.Day)
			}
		}
	}
	return s
}
