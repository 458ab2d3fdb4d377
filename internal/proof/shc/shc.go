// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package shc reads and verifies SMART Health Cards (framework 1.4,
// https://spec.smarthealth.cards): FHIR resources in a signed token.
//
//	shc:/<digits>          one QR code; two digits per character of the token
//	shc:/2/3/<digits>      the second of three QR codes (deprecated since 1.3, still carried)
//
//	token   = header "." payload "." signature           RFC 7515, compact; base64url
//	header  = {"alg":"ES256","zip":"DEF","kid":…}        kid: thumbprint of the key, RFC 7638
//	payload = DEFLATE({"iss":…,"nbf":…,"exp":…,"vc":{"type":[…],"rid":…,
//	          "credentialSubject":{"fhirVersion":…,"fhirBundle":{…}}}})
//
// A file (.smart-health-card) and a FHIR server's answer hold several tokens. [Open]
// takes any of these apart, [Parse] reads one token, [Verify] says whether it is genuine.
// Keys are those that the issuer publishes at its address ([ReadKeys]), revocations the
// list beside them ([ReadRevoked]); both were fetched long before.
//
// Three kinds of things are told apart ([Grade]): a card that cannot be what it says is
// not genuine, one that breaks a rule of FHIR beside what we read, or that is merely not
// as small as its specification asks, is read and noted.
//
// SMART Health Links (shlink:/) are not here: they need a network.
package shc

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
)

// Bounds of what is looked at. The largest cards that fit a QR code have 1,195 characters;
// files may hold more.
const (
	MaxText    = 1 << 17 // bytes of a text with all that it holds
	MaxToken   = 1 << 16 // characters of one token
	MaxPayload = 1 << 17 // bytes of one payload, unfolded
	MaxCards   = 16      // cards in one text
	MaxChunks  = 16      // QR codes of one card
	maxDigits  = 7089    // digits that the largest QR code holds, ISO/IEC 18004 table 7
)

// The longest token and the longest part of one that fit the QR code of version 22 that
// the specification asks for (section "Chunking").
const (
	singleLength = 1195
	chunkLength  = 1191
)

// Errors of form. [proof.FaultOf] gives the reason for each.
var (
	ErrNotCard     error = &proof.FormError{Fault: proof.NotProof, Text: "shc: not a health card"}
	ErrForm        error = &proof.FormError{Fault: proof.Unreadable, Text: "shc: not well formed"}
	ErrSize        error = &proof.FormError{Fault: proof.TooLarge, Text: "shc: too large"}
	ErrIncomplete  error = &proof.FormError{Fault: proof.Incomplete, Text: "shc: a part is missing"}
	ErrUnsupported error = &proof.FormError{Fault: proof.Unsupported, Text: "shc: nothing that can be read"}
	ErrAlgorithm   error = &proof.FormError{Fault: proof.Algorithm, Text: "shc: algorithm is not ES256"}
	ErrContent     error = &proof.FormError{Fault: proof.Content, Text: "shc: content is not acceptable"}
)

// Grade is how much a finding weighs.
type Grade uint8

// The grades.
const (
	Minor   Grade = iota // larger or looser than the specification asks; nothing is in doubt
	Schema               // a rule of FHIR is broken beside what this package reads
	Content              // what the card says of a person or an event cannot be taken as said
)

// String returns "minor", "schema" or "content".
func (g Grade) String() string { return [...]string{"minor", "schema", "content"}[min(int(g), 2)] }

// A Finding is what is not as it should be in a card that can be read.
type Finding struct {
	Grade Grade
	Rule  string // a word of this package, such as "coding.display"
	Path  string // where, by the names of the specification; never what stands there
}

// maxFindings bounds what is kept of a card that is wrong throughout.
const maxFindings = 64

// Opened is what a text held.
type Opened struct {
	Tokens   [][]byte
	Findings []Finding // about what the tokens came in
	// Have and Want are how many QR codes of an incomplete card were there and how many
	// it has; 0 where every card is whole.
	Have, Want int

	ways []int // of each token: above 0, the count of a set of parts that fits in several ways
}

// Known reports whether a text looks like a health card, before any of it is read.
func Known(text []byte) bool {
	text = bytes.TrimSpace(text)
	if hasScheme(text) || hasLink(text) || looksLikeToken(text) {
		return true
	}
	return len(text) > 0 && text[0] == '{' && bytes.Contains(text, []byte(`"verifiableCredential"`))
}

const bom = "\xef\xbb\xbf"

// Open takes a text apart into tokens. The text is one QR code, the texts of several with
// white space between them in any order, a token, a file of several tokens, or the FHIR
// resource Parameters that a server answers with. Where QR codes of a card are missing,
// the error is ErrIncomplete and the other cards are in the answer.
func Open(text []byte) (Opened, error) {
	var o Opened
	if len(text) > MaxText {
		return o, ErrSize
	}
	if rest, ok := bytes.CutPrefix(text, []byte(bom)); ok {
		text = rest
		o.minor("text.mark", "")
	}
	text = bytes.TrimSpace(text)
	switch {
	case hasScheme(text):
		var codes [][]byte
		for code := range bytes.FieldsSeq(text) {
			if len(codes) >= MaxCards*MaxChunks {
				return o, ErrSize
			}
			codes = append(codes, code)
		}
		err := o.join(codes)
		return o, err
	case hasLink(text):
		return o, fmt.Errorf("%w: a link to one", ErrUnsupported)
	case len(text) > 0 && text[0] == '{':
		err := o.file(text)
		return o, err
	case looksLikeToken(text):
		if len(text) > MaxToken {
			return o, ErrSize
		}
		if len(text) > singleLength {
			o.minor("token.length", "")
		}
		o.Tokens, o.ways = append(o.Tokens, text), append(o.ways, 0)
		return o, nil
	}
	return o, ErrNotCard
}

func (o *Opened) minor(rule, path string) {
	if len(o.Findings) < maxFindings {
		o.Findings = append(o.Findings, Finding{Minor, rule, path})
	}
}

func hasScheme(text []byte) bool {
	return len(text) >= 4 && bytes.EqualFold(text[:4], []byte("shc:"))
}

func hasLink(text []byte) bool {
	return len(text) >= 7 && bytes.EqualFold(text[:7], []byte("shlink:"))
}

// looksLikeToken reports whether the text begins as a token does, with a JSON object in
// base64url ("{" and a quotation mark are "ey" and one letter of four), and has two dots.
func looksLikeToken(text []byte) bool {
	return len(text) > 2 && text[0] == 'e' && text[1] == 'y' && bytes.Count(text[:min(len(text), MaxText)], []byte(".")) == 2
}

// file reads the tokens of a .smart-health-card file (section "via File Download") or of
// Parameters (section "$health-cards-issue").
func (o *Opened) file(text []byte) error {
	d, err := jcs.Parse(text, jcs.Limits{Size: MaxText, Values: 8192, Depth: 32, Members: 64})
	if errors.Is(err, jcs.ErrLimit) {
		return fmt.Errorf("%w: %w", ErrSize, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	add := func(v jcs.Value) error {
		s, ok := v.Text()
		switch {
		case !ok:
			return ErrForm
		case len(s) > MaxToken || len(o.Tokens) >= MaxCards:
			return ErrSize
		}
		token := bytes.TrimSpace([]byte(s))
		if len(token) != len(s) {
			o.minor("text.space", "verifiableCredential")
		}
		if len(token) > singleLength {
			o.minor("token.length", "verifiableCredential")
		}
		o.Tokens, o.ways = append(o.Tokens, token), append(o.ways, 0)
		return nil
	}
	list := d.Root().Get("verifiableCredential")
	switch {
	case list.Is(jcs.Array):
		for v := range list.All() {
			if err := add(v); err != nil {
				return err
			}
		}
	case d.Root().Get("resourceType").Equal("Parameters"):
		for p := range d.Root().Get("parameter").All() {
			if !p.Get("name").Equal("verifiableCredential") {
				continue
			}
			if err := add(p.Get("valueString")); err != nil {
				return err
			}
		}
	default:
		return ErrNotCard
	}
	if len(o.Tokens) == 0 {
		return fmt.Errorf("%w: no card in it", ErrForm)
	}
	return nil
}

// A chunk is one QR code's part of a token.
type chunk struct {
	index, count int // from 1; 1 and 1 of a whole token
	numbered     bool
	text         []byte
}

// parseChunk reads "shc:/<digits>" and "shc:/<index>/<count>/<digits>".
func parseChunk(code []byte) (chunk, error) {
	c := chunk{index: 1, count: 1}
	if !hasScheme(code) || len(code) < 5 || code[4] != '/' {
		return c, fmt.Errorf("%w: not shc:/", ErrForm)
	}
	body := code[5:]
	if i := bytes.IndexByte(body, '/'); i >= 0 {
		rest := body[i+1:]
		j := bytes.IndexByte(rest, '/')
		if j < 0 {
			return c, fmt.Errorf("%w: part without a count", ErrForm)
		}
		var ok1, ok2 bool
		c.index, ok1 = small(body[:i])
		c.count, ok2 = small(rest[:j])
		if !ok1 || !ok2 || c.index > c.count {
			return c, fmt.Errorf("%w: part is numbered beyond the count", ErrForm)
		}
		if c.count > MaxChunks {
			return c, ErrSize
		}
		c.numbered = true
		body = rest[j+1:]
	}
	if len(body) > maxDigits {
		return c, ErrSize
	}
	if len(body) == 0 || len(body)%2 != 0 {
		return c, fmt.Errorf("%w: digits do not come in pairs", ErrForm)
	}
	c.text = make([]byte, len(body)/2)
	for i := range c.text {
		a, b := body[2*i]-'0', body[2*i+1]-'0'
		// 77 is "z", the last character of base64url.
		if a > 9 || b > 9 || a*10+b > 77 {
			return c, fmt.Errorf("%w: a pair that stands for no character", ErrForm)
		}
		c.text[i] = a*10 + b + '-'
	}
	return c, nil
}

// small reads a number from 1 to 999 without leading zeros.
func small(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 3 || b[0] < '1' || b[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(string(b))
	return n, err == nil
}

// maxWays bounds the ways in which parts of several cards with the same count are put
// together.
const maxWays = 8

// join puts the parts of cards together, in whatever order they came. A part that came
// twice counts once. Parts of several cards are told apart by their count, and where that
// is the same, by which of them make a whole: only the right ones unfold.
func (o *Opened) join(codes [][]byte) error {
	var sets [MaxChunks + 1][MaxChunks + 1][][]byte // by count and index
	for _, code := range codes {
		c, err := parseChunk(code)
		if err != nil {
			return err
		}
		if c.count == 1 {
			if c.numbered {
				o.minor("chunk.single", "")
			}
			if len(c.text) > singleLength {
				o.minor("chunk.length", "")
			}
			if err := o.add(c.text, 0); err != nil {
				return err
			}
			continue
		}
		if len(c.text) > chunkLength {
			o.minor("chunk.length", "")
		}
		at := &sets[c.count][c.index]
		known := false
		for _, t := range *at {
			known = known || bytes.Equal(t, c.text)
		}
		if !known {
			*at = append(*at, c.text)
		}
	}
	for count := 2; count <= MaxChunks; count++ {
		parts := sets[count][1 : count+1]
		have, ways := 0, 1
		for _, p := range parts {
			if len(p) > 0 {
				have++
				ways *= len(p)
			}
			if ways > maxWays {
				return ErrSize
			}
		}
		switch {
		case have == 0:
			continue
		case have < count:
			o.Have, o.Want = have, count
			continue
		}
		whole, set := 0, 0
		if ways > 1 {
			set = count
		}
		for way := range ways {
			var token []byte
			for _, p := range parts {
				token = append(token, p[way%len(p)]...)
				way /= len(p)
			}
			if ways > 1 && !unfolds(token) {
				continue
			}
			whole++
			if len(token) <= singleLength {
				o.minor("chunk.needless", "")
			}
			if err := o.add(token, set); err != nil {
				return err
			}
		}
		if whole == 0 {
			return fmt.Errorf("%w: parts of different cards", ErrForm)
		}
	}
	if o.Want > 0 {
		return fmt.Errorf("%w: %d of %d", ErrIncomplete, o.Have, o.Want)
	}
	return nil
}

func (o *Opened) add(token []byte, set int) error {
	for _, t := range o.Tokens {
		if bytes.Equal(t, token) {
			return nil
		}
	}
	if len(o.Tokens) >= MaxCards || len(token) > MaxToken {
		return ErrSize
	}
	o.Tokens, o.ways = append(o.Tokens, token), append(o.ways, set)
	return nil
}
