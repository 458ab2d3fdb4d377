// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/picture"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/vdsnc"
)

// A vectorMiss is a vector whose result is not the expected one. No vector holds anybody's
// health, but files under test may: it says outcomes and words of ours, never content.
type vectorMiss struct {
	File string `json:"file"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// A vectorCheck is the score of one kind of check.
type vectorCheck struct {
	Check  string       `json:"check"`
	Right  int          `json:"right"`
	Total  int          `json:"total"`
	Missed []vectorMiss `json:"missed,omitempty"`
}

// A vectorSuite is the score of a folder of vectors.
type vectorSuite struct {
	Checks []*vectorCheck `json:"checks"`
	// Apart are files that say nothing of the verifier, such as pictures of codes that no
	// reader was there to read, and why.
	Apart []vectorMiss `json:"apart,omitempty"`
}

// score counts one result of a kind of check.
func (s *vectorSuite) score(check, file, want, got string) {
	i := slices.IndexFunc(s.Checks, func(c *vectorCheck) bool { return c.Check == check })
	if i < 0 {
		i = len(s.Checks)
		s.Checks = append(s.Checks, &vectorCheck{Check: check})
	}
	c := s.Checks[i]
	c.Total++
	if want == got {
		c.Right++
		return
	}
	c.Missed = append(c.Missed, vectorMiss{file, want, got})
}

// apart sets a file aside.
func (s *vectorSuite) apart(file, why string) {
	s.Apart = append(s.Apart, vectorMiss{File: file, Got: why})
}

// missedNone reports whether something was checked and nothing was missed.
func (s *vectorSuite) missedNone() bool {
	total := 0
	for _, c := range s.Checks {
		total += c.Total
		if len(c.Missed) > 0 {
			return false
		}
	}
	return total > 0
}

// maxVector bounds a file of a folder under test.
const maxVector = 32 << 20

// vectorFiles reads a folder of vectors: the files by their paths in it, and the paths in order.
func vectorFiles(dir string) (map[string][]byte, []string, error) {
	files := map[string][]byte{}
	var names []string
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxVector {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files[name] = b
		names = append(names, name)
		return nil
	})
	slices.Sort(names)
	return files, names, err
}

// The outcomes of a card: as its specification wants it, readable and not quite so, and
// no card to believe.
const (
	cardSound   = "sound"
	cardNoted   = "noted"
	cardRefused = "refused"
	cardAny     = "any" // the name does not say
)

// shcExpected says what the name of a vector of the health cards development tools means.
// The first part that a name has decides; a name that has none is expected to be right in
// every way.
var shcExpected = []struct{ part, want string }{
	{"nbf_not_yet_valid", cardNoted},
	{"pre-expired", cardRefused},
	{"nbf_miliseconds", cardRefused},
	{"nbf_milliseconds", cardRefused},
	{"exp_milliseconds", cardNoted},
	{"expanded-expired", cardNoted},
	{"missing-shc-vc-type", cardRefused},
	{"vc-type", cardNoted},
	{"missing-coding", cardRefused},
	{"occurrence-issues", cardRefused},
	{"status-not-completed", cardRefused},
	{"empty-values", cardRefused},
	{"bad_meta_wrong_security", cardRefused},
	{"bad_meta", cardNoted},
	{"bad-fhir-metadata", cardNoted},
	{"non-dm-properties", cardNoted},
	{"short-refs", cardRefused}, // they refer to nobody
	{"relative-resource", cardAny},
	{"profile", cardAny}, // rules of one country's profile
	{"jws-crl-", cardAny},
	{"multi-jws-issues", cardRefused},
	{"deflate", cardRefused},
	{"no_jws_header", cardRefused},
	{"wrong_jws_header", cardRefused},
	{"utf8_bom", cardRefused},
	{"invalid_issuer_url", cardRefused},
	{"trailing_slash", cardRefused},
	{"bad_jwks", cardRefused},
	{"jws_too_long", cardRefused},
	{"issuer-kid-mismatch", cardRefused},
	{"invalid-signature", cardRefused},
	{"der-signature", cardRefused},
	{"invalid-jws-payload", cardRefused},
	{"wrong_qr_header", cardRefused},
	{"wrong_qr_mode", cardAny},
	{"odd-count", cardRefused},
	{"number-too-big", cardRefused},
	{"index-out-of-range", cardRefused},
	{"wrong-multi-chunk", cardNoted},
	{"chunk_too_big", cardNoted},
	{"chunk_too_small", cardNoted},
	{"trailing_chars", cardNoted},
	{"wrong-extension", cardNoted},
	{"corrupted", cardRefused},
	{"qr_segment", cardAny}, // how the code was drawn, which its text does not tell
	{"qr_version", cardAny},
	{"inflated", cardAny},
	{"example-02-", cardNoted}, // a summary too large for a code
}

func expectedSHC(name string) string {
	base := path.Base(name)
	for _, e := range shcExpected {
		if strings.Contains(base, e.part) {
			return e.want
		}
	}
	return cardSound
}

var chunkNumber = regexp.MustCompile(`(numeric-value|qr-code)-[0-9]+`)

// scoreSHC scores a folder of vectors of SMART Health Cards. Keys and lists of revocations
// are those of trusted, and otherwise those that stand in the folder at their issuer's
// address.
func scoreSHC(dir string, trusted shc.KeysFile, now time.Time) (*vectorSuite, error) {
	files, names, err := vectorFiles(dir)
	if err != nil {
		return nil, err
	}
	s := new(vectorSuite)
	lists := slices.Clone(trusted.Revoked)
	versions := map[string]int64{}
	for _, k := range trusted.Keys {
		versions[k.ID] = k.CRLVersion
	}
	keys := slices.Clone(trusted.Keys)
	var rest []string
	for _, name := range names {
		switch b := files[name]; {
		case strings.HasSuffix(name, ".json") && shc.LooksLikeKeys(b) && !shc.Known(b):
			f, err := shc.ReadKeys(b, "")
			want := "keys"
			if wrong := regexp.MustCompile(`wrong_|private|invalid|bad_`).MatchString(path.Base(name)); wrong {
				want = cardRefused
			}
			got := "keys"
			if err != nil || len(f.Keys) == 0 || len(f.Refused) > 0 {
				got = cardRefused
			}
			s.score("keys", name, want, got)
			if want == "keys" && len(trusted.Keys) == 0 && bytes.Contains(b, []byte(`"keys"`)) {
				keys = append(keys, f.Keys...)
				for _, k := range f.Keys {
					versions[k.ID] = k.CRLVersion
				}
			}
		case strings.HasSuffix(name, ".json") && shc.LooksLikeRevoked(b):
			rest = append(rest, name)
		default:
			rest = append(rest, name)
		}
	}
	for _, name := range rest {
		if b := files[name]; strings.HasSuffix(name, ".json") && shc.LooksLikeRevoked(b) {
			r, err := shc.ReadRevoked(b)
			got := "list"
			known, ok := versions[r.KeyID]
			// Each entry is one line of the list: fewer of them are the same number twice.
			if err != nil || r.Refused > 0 || r.KeyID != strings.TrimSuffix(path.Base(name), ".json") || ok && known != r.Counter || r.Len() < r.Entries {
				got = cardRefused
			}
			want := "list"
			if regexp.MustCompile(`duplicate-rid|invalid-method|non-base64url|too-long-rid|version-mismatch`).MatchString(name) {
				want = cardRefused
			}
			s.score("revocation lists", name, want, got)
			if got == "list" {
				lists = append(lists, r)
			}
		}
	}
	store, revoked := shc.NewKeys(keys, proof.Fresh), shc.NewRevocations(lists)

	groups := map[string][]string{} // the texts of codes that are one card, by the name without its number
	var order []string
	for _, name := range rest {
		b := files[name]
		base := path.Base(name)
		switch {
		case strings.HasSuffix(name, ".json") && shc.LooksLikeRevoked(b):
		case slices.Contains([]string{".png", ".jpg", ".jpeg", ".bmp", ".svg", ".gif"}, path.Ext(name)):
			code, err := picture.Text(b, picture.MaxPixels)
			if err != nil {
				if expectedSHC(name) == cardRefused {
					s.score("pictures", name, cardRefused, cardRefused)
				} else {
					s.apart(name, "no code could be read in the picture")
				}
				continue
			}
			key := chunkNumber.ReplaceAllString(name, "$1")
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], code)
		case strings.Contains(base, "fhirBundle"):
			c, err := shc.ParseBundle(b)
			s.card("bundles", name, outcome(c, err, now))
		case strings.Contains(base, "payload") && strings.HasSuffix(name, ".json"), strings.HasPrefix(base, "test-example-00-a-"):
			parse := shc.ParsePayload
			if !strings.Contains(base, "payload") {
				parse = shc.ParseBundle
			}
			c, err := parse(b)
			s.card("payloads", name, outcome(c, err, now))
		case bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(b)), []byte("shc:")):
			key := chunkNumber.ReplaceAllString(name, "$1")
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], string(b))
		case shc.Known(b):
			s.carrier("cards", name, b, store, revoked, now)
		default:
			s.apart(name, "no vector of this suite")
		}
	}
	for _, key := range order {
		text := []byte(strings.Join(groups[key], "\n"))
		if o, err := shc.Open(text); err != nil && o.Want > 0 && expectedSHC(key) != cardRefused {
			s.apart(key, "other parts of the card are not in the folder")
			continue
		}
		s.carrier("codes", key, text, store, revoked, now)
	}
	if len(s.Checks) == 0 {
		return nil, fmt.Errorf("no vectors of SMART Health Cards in %s", filepath.Base(dir))
	}
	return s, nil
}

// card scores an outcome that the file's name says.
func (s *vectorSuite) card(check, name, got string) {
	if want := expectedSHC(name); want != cardAny {
		s.score(check, name, want, got)
	}
}

// outcome is what a payload or a bundle alone comes to.
func outcome(c *shc.Card, err error, now time.Time) string {
	if err != nil {
		return cardRefused
	}
	got := cardSound
	for _, f := range c.Findings {
		if f.Grade > shc.Minor {
			return cardRefused
		}
		got = cardNoted
	}
	if now.Before(c.NotBefore) || !c.Expires.IsZero() && now.After(c.Expires) {
		got = cardNoted
	}
	return got
}

// carrier scores a text that holds signed cards: whether they are genuine, and that none
// of them is when anything under its signature is altered.
func (s *vectorSuite) carrier(check, name string, text []byte, keys proof.Keys, revoked shc.Revocations, now time.Time) {
	o, err := shc.Open(text)
	got := cardSound
	if err != nil {
		got = cardRefused
	}
	if len(o.Findings) > 0 && got == cardSound && expectedSHC(name) != cardSound {
		got = cardNoted
	}
	if len(bytes.TrimSpace(text)) != len(text) && strings.Contains(name, "trailing_chars") && got == cardSound {
		got = cardNoted
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && !slices.Contains([]string{".smart-health-card", ".json"}, path.Ext(name)) && got == cardSound {
		got = cardNoted // by its name nobody would know what it is
	}
	genuine := 0
	for _, token := range o.Tokens {
		r := shc.Verify(token, keys, revoked, now)
		switch {
		case slices.Equal(r.Faults, []proof.Fault{proof.Unsupported}) && r.Checked:
			got = worse(got, cardNoted) // signed, and of nothing that we read
		case slices.Equal(r.Faults, []proof.Fault{proof.Revoked}) && strings.HasPrefix(path.Base(name), "example-03"):
			// The specification's example of a card that was revoked.
		case !r.Genuine():
			got = cardRefused
		default:
			genuine++
			if c, err := shc.Parse(token); err != nil || len(c.Findings) > 0 {
				got = worse(got, cardNoted)
			}
		}
		s.altered(name, token, keys, now)
	}
	s.card(check, name, got)
	if strings.Contains(name, "multi-jws-issues") {
		s.score(check, name+" (the card beside the wrong one)", "genuine 1", fmt.Sprintf("genuine %d", genuine))
	}
}

func worse(a, b string) string {
	if a == cardRefused || b == cardSound {
		return a
	}
	return b
}

// altered scores that a token is not genuine once a letter of it is another.
func (s *vectorSuite) altered(name string, token []byte, keys proof.Keys, now time.Time) {
	believed := 0
	for i := 1; i <= 16; i++ {
		at := len(token) * i / 17
		if token[at] == '.' {
			continue
		}
		if r := shc.Verify(another(token, at), keys, nil, now); r.Genuine() {
			believed++
		}
	}
	s.score("altered cards", name, "believed 0", fmt.Sprintf("believed %d", believed))
}

// another returns b with another letter at i.
func another(b []byte, i int) []byte {
	b = bytes.Clone(b)
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return b
}

var wrongSeal = regexp.MustCompile(`(?i)invalid|tamper|forged|wrong|corrupt|altered|bad[-_]`)

// scoreVDSNC scores a folder of visible digital seals. Of each it is known that its
// signature is by the certificate that it brings, but where its name says that something
// is wrong with it. Whether that certificate is to be believed is scored where keys is
// not nil: a day after the certificate begins where at is zero.
func scoreVDSNC(dir string, keys proof.Keys, at time.Time) (*vectorSuite, error) {
	files, names, err := vectorFiles(dir)
	if err != nil {
		return nil, err
	}
	s := new(vectorSuite)
	for _, name := range names {
		text := files[name]
		if !vdsnc.Known(text) && !wrongSeal.MatchString(path.Base(name)) {
			s.apart(name, "no vector of this suite")
			continue
		}
		seal, err := vdsnc.Parse(text)
		if wrongSeal.MatchString(path.Base(name)) {
			got := cardRefused
			if err == nil && seal.SelfConsistent() {
				got = "genuine"
				if keys != nil {
					if r := seal.Verify(keys, nil, clock(seal, at)); !r.Genuine() {
						got = cardRefused
					}
				}
			}
			s.score("wrong seals", name, cardRefused, got)
			continue
		}
		s.score("decode", name, "read", problemOr(err, "read"))
		if err != nil {
			continue
		}
		s.score("signature", name, "verifies", map[bool]string{true: "verifies", false: "does not"}[seal.SelfConsistent()])
		_, isEC := seal.Certificate.PublicKey.(*ecdsa.PublicKey)
		s.score("key usage", name, "may sign", map[bool]string{true: "may sign", false: "may not"}[isEC && vdsnc.MaySign(seal.Certificate, seal.Type)])
		believed := 0
		for _, i := range letters(text) {
			if a, err := vdsnc.Parse(another(text, i)); err == nil && a.SelfConsistent() {
				believed++
			}
		}
		s.score("altered seals", name, "believed 0", fmt.Sprintf("believed %d", believed))
		if keys != nil {
			r := seal.Verify(keys, nil, clock(seal, at))
			got := "genuine"
			if !r.Genuine() {
				got = fmt.Sprint(r.Faults)
			}
			s.score("genuine", name, "genuine", got)
		}
	}
	if len(s.Checks) == 0 {
		return nil, fmt.Errorf("no visible digital seals in %s", filepath.Base(dir))
	}
	return s, nil
}

func clock(seal *vdsnc.Seal, at time.Time) time.Time {
	if at.IsZero() {
		return seal.Certificate.NotBefore.AddDate(0, 0, 1)
	}
	return at
}

func problemOr(err error, ok string) string {
	if err != nil {
		return string(proof.FaultOf(err))
	}
	return ok
}

// letters returns the places of letters under the signature, some at most: those of the
// texts in "msg".
func letters(text []byte) (at []int) {
	i := bytes.Index(text, []byte(`"msg"`))
	j := bytes.LastIndex(text, []byte(`"sig"`))
	if j < i {
		j = len(text)
	}
	for k := i + 5; i >= 0 && k < j && len(at) < 64; k += 7 {
		if c := text[k] | 0x20; 'a' <= c && c <= 'z' || '0' <= text[k] && text[k] <= '9' {
			at = append(at, k)
		}
	}
	return at
}
