// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package shc

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
)

// vectors is the folder of published vectors, which is not part of the project.
var vectors = filepath.Join("..", "..", "..", "..", "shared", "vectors", "shc")

func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(vectors); err != nil {
			t.Skipf("no vectors at %s", vectors)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exampleKeys are those of the issuer of the examples, found at its address.
func exampleKeys(t testing.TB) *Keys {
	t.Helper()
	f, err := ReadKeys(vector(t, "examples/issuer/.well-known/jwks.json"), "")
	if err != nil || len(f.Keys) != 2 || len(f.Refused) != 0 {
		t.Fatalf("keys: %d, refused %v, %v", len(f.Keys), f.Refused, err)
	}
	return NewKeys(f.Keys, proof.Fresh)
}

const exampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// TestExamples verifies the two examples of the specification in each form in which they
// are given, with the issuer's keys and its list of revocations.
func TestExamples(t *testing.T) {
	keys := exampleKeys(t)
	list, err := ReadRevoked(vector(t, "examples/issuer/.well-known/crl/3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s.json"))
	if err != nil {
		t.Fatal(err)
	}
	revoked := NewRevocations([]Revoked{list})
	for _, name := range []string{"d-jws.txt", "e-file.smart-health-card", "f-qr-code-numeric-value-0.txt"} {
		for i, issued := range []string{"2023-06-22T16:19:24.656Z", "2023-06-22T16:19:24.657Z"} {
			file := fmt.Sprintf("examples/example-0%d-%s", i, name)
			o, err := Open(vector(t, file))
			if err != nil || len(o.Tokens) != 1 || len(o.Findings) != 0 {
				t.Errorf("%s: %d tokens, %v, %v", file, len(o.Tokens), o.Findings, err)
				continue
			}
			r := Verify(o.Tokens[0], keys, revoked, at)
			if !r.Genuine() || len(r.Notes) != 0 || r.Key == nil || r.Claims.Assurance != proof.Signed {
				t.Errorf("%s: genuine %v, faults %v, notes %v", file, r.Genuine(), r.Faults, r.Notes)
				continue
			}
			c := r.Claims
			if c.Format != proof.SHC || c.Issuer != exampleIssuer || c.Version != "4.0.1" || c.Holder.Name() != "Anyperson, John B." ||
				c.Holder.Birth.Year != 1951 || c.Holder.Birth.Month != 1 || c.Holder.Birth.Day != 20 {
				t.Errorf("%s: the holder or the issuer is another", file)
			}
			if got := c.IssuedAt.Format(time.RFC3339Nano); got != issued || !c.From.Equal(c.IssuedAt) || !c.Until.IsZero() {
				t.Errorf("%s: issued at %s, want %s", file, got, issued)
			}
			var days, lots []string
			for _, e := range c.Events {
				if e.Kind != proof.Vaccination || e.Disease != proof.COVID19 || e.Type.System != proof.CVX || e.Place != "ABC General Hospital" {
					t.Errorf("%s: an event is another", file)
				}
				days, lots = append(days, e.On.String()), append(lots, e.Lot)
			}
			if !slices.Equal(days, []string{"2021-01-01", "2021-01-29", "2022-09-05"}) || !slices.Equal(lots, []string{"0000001", "0000007", "0000001"}) {
				t.Errorf("%s: days %v, lots %v", file, days, lots)
			}
		}
	}
}

// TestDevTools holds the vectors of the health cards development tools to the results that
// their own tests expect, as far as those are about the card: an error there is a card
// that is not genuine or a finding above Minor here, a warning there a Minor one.
func TestDevTools(t *testing.T) {
	keys := exampleKeys(t)
	for name, want := range map[string][]string{ // of each token: a fault, "genuine", and then the findings
		"d-jws-bad-fhir-metadata.txt":                             {"genuine id meta"},
		"d-jws-issuer-kid-mismatch.txt":                           {"proof.key.unknown"},
		"d-jws-jws_too_long.txt":                                  {"proof.form.content"},
		"d-jws-utf8_bom_prefix.txt":                               {"proof.form.unreadable"},
		"e-file-bad_jwks.smart-health-card":                       {"proof.key.unknown"},
		"e-file-invalid_issuer_url.smart-health-card":             {"proof.key.unknown"},
		"e-file-issuer_url_with_trailing_slash.smart-health-card": {"proof.form.content"},
		"e-file-multi-jws-issues.smart-health-card":               {"proof.key.algorithm", "genuine"},
		"e-file-no_deflate.smart-health-card":                     {"proof.form.unreadable"},
		"e-file.wrong-extension":                                  {"genuine"},
		"fhirhealthcard.json":                                     {"genuine"},
		"fhirhealthcard-multi-jws.json":                           {"genuine", "genuine"},
		"../test-example-1195-byte-qrnumeric.txt":                 {"genuine"},
	} {
		file := "dev-tools/test-example-00-" + name
		if rest, ok := strings.CutPrefix(name, "../"); ok {
			file = "dev-tools/" + rest
		}
		o, err := Open(vector(t, file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, token := range o.Tokens {
			r := Verify(token, keys, nil, at)
			words := []string{"genuine"}
			if !r.Genuine() {
				words = []string{string(r.Faults[0])}
			}
			if c, err := Parse(token); err == nil {
				for _, f := range c.Findings {
					words = append(words, f.Rule)
				}
			}
			got = append(got, strings.Join(words, " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{ // payloads and bundles: the gravest grade, and each rule
		"b-jws-payload-expanded-exp_milliseconds.json":    "minor exp.milliseconds",
		"b-jws-payload-expanded-nbf_milliseconds.json":    "content nbf.milliseconds",
		"b-jws-payload-expanded-missing-coding.json":      "content empty vaccineCode empty",
		"b-jws-payload-expanded-missing-imm-vc-type.json": "minor vc.type.missing",
		"b-jws-payload-expanded-optional-vc-type.json":    "minor vc.type",
		"b-jws-payload-expanded-trailing_chars.json":      "minor json.space",
		"a-fhirBundle-bad_meta_extra_key.json":            "minor id meta",
		"a-fhirBundle-bad_meta_wrong_security.json":       "schema id meta.security",
		"a-fhirBundle-occurrence-issues.json":             "content occurrence occurrence",
		"a-fhirBundle-status-not-completed.json":          "content status status",
		"a-non-dm-properties.json":                        "minor meta concept.text id coding.display concept.text",
	} {
		b := vector(t, "dev-tools/test-example-00-"+name)
		parse := ParsePayload
		if strings.HasPrefix(name, "a-") {
			parse = ParseBundle
		}
		c, err := parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := c.graveness().String()
		for _, f := range c.Findings {
			got += " " + f.Rule
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// A signer is an issuer of ours.
type signer struct {
	priv *ecdsa.PrivateKey
	kid  string
}

func newSigner(t testing.TB) signer {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := priv.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return signer{priv, thumbprint([65]byte(b))}
}

func (s signer) keys(issuer string) *Keys {
	return NewKeys([]IssuerKey{{ID: s.kid, Key: proof.Key{Public: &s.priv.PublicKey, Issuer: issuer}}}, proof.Fresh)
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func pack(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// sign makes a token of a header and the bytes of a payload.
func (s signer) sign(t testing.TB, header string, payload []byte) []byte {
	t.Helper()
	text := enc([]byte(header)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(text))
	r, ss, err := ecdsa.Sign(rand.Reader, s.priv, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	ss.FillBytes(sig[32:])
	return []byte(text + "." + enc(sig[:]))
}

func (s signer) header() string { return `{"zip":"DEF","alg":"ES256","kid":"` + s.kid + `"}` }

const ourIssuer = "https://issuer.example"

// card is a payload with one dose; with replaces parts of it, in pairs.
func card(with ...string) []byte {
	text := `{"iss":"https://issuer.example","nbf":1700000000.5,"exp":1800000000,"vc":{"type":["https://smarthealth.cards#health-card"],"rid":"abc","credentialSubject":{"fhirVersion":"4.0.1",` +
		`"fhirBundle":{"resourceType":"Bundle","type":"collection","entry":[` +
		`{"fullUrl":"resource:0","resource":{"resourceType":"Patient","name":[{"family":"Doe","given":["Jo"]}],"birthDate":"1980-02"}},` +
		`{"fullUrl":"resource:1","resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"03"}]},"patient":{"reference":"resource:0"},"occurrenceDateTime":"2023-05-06"}}` +
		`]}}}}`
	for i := 0; i+1 < len(with); i += 2 {
		if !strings.Contains(text, with[i]) {
			panic("nothing to replace: " + with[i])
		}
		text = strings.Replace(text, with[i], with[i+1], 1)
	}
	return []byte(text)
}

const nineResources = `{"fullUrl":"resource:1","resource":{"resourceType":"Immunization"`

func observation(code, rest string) string {
	return `{"fullUrl":"resource:2","resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"` + code + `"}]},"subject":{"reference":"resource:0"},` +
		`"effectiveDateTime":"2023-05-07T10:00:00+05:00"` + rest + `}},` + nineResources
}

func TestRefuses(t *testing.T) {
	s := newSigner(t)
	other := newSigner(t)
	good := func(with ...string) []byte { return s.sign(t, s.header(), pack(card(with...))) }
	if r := Verify(good(), s.keys(ourIssuer), nil, at); !r.Genuine() {
		t.Fatalf("the card that all others are made of is not genuine: %v", r.Faults)
	}
	if r := Verify(good(), s.keys(ourIssuer), nil, at); slices.Contains(r.Notes, proof.KeyUnbound) {
		t.Errorf("a key that is bound to its issuer: notes %v", r.Notes)
	}
	if r := Verify(good(), s.keys(""), nil, at); !r.Genuine() || !slices.Contains(r.Notes, proof.KeyUnbound) {
		t.Errorf("a key that is bound to nobody: %v", r.Faults)
	}
	// A card of nothing that we read is signed all the same, and no proof.
	if r := Verify(good(`"Immunization"`, `"Condition"`), s.keys(ourIssuer), nil, at); !r.Checked || !slices.Equal(r.Faults, []proof.Fault{proof.Unsupported}) {
		t.Errorf("a condition: checked %v, faults %v", r.Checked, r.Faults)
	}
	token := good()
	for name, c := range map[string]struct {
		token []byte
		want  proof.Fault
	}{
		"another's signature":       {other.sign(t, s.header(), pack(card())), proof.Forged},
		"one letter of the payload": {flip(token, bytes.IndexByte(token, '.')+30), ""},
		"unknown key":               {other.sign(t, other.header(), pack(card())), proof.KeyUnknown},
		"another's address":         {good("issuer.example", "issuer.example/b"), proof.KeyUnknown},
		"alg none":                  {s.sign(t, strings.Replace(s.header(), "ES256", "none", 1), pack(card())), proof.Algorithm},
		"alg HS256":                 {s.sign(t, strings.Replace(s.header(), "ES256", "HS256", 1), pack(card())), proof.Algorithm},
		"alg ES384":                 {s.sign(t, strings.Replace(s.header(), "ES256", "ES384", 1), pack(card())), proof.Algorithm},
		"no zip":                    {s.sign(t, strings.Replace(s.header(), `"zip":"DEF",`, "", 1), card()), proof.Unreadable},
		"no kid":                    {s.sign(t, `{"zip":"DEF","alg":"ES256"}`, pack(card())), proof.Unreadable},
		"kid twice":                 {s.sign(t, strings.Replace(s.header(), `{`, `{"kid":"a",`, 1), pack(card())), proof.Unreadable},
		"kid is a number":           {s.sign(t, `{"zip":"DEF","alg":"ES256","kid":1}`, pack(card())), proof.Unreadable},
		"critical header":           {s.sign(t, strings.Replace(s.header(), `{`, `{"crit":["b64"],"b64":false,`, 1), pack(card())), proof.Unreadable},
		"header is no object":       {s.sign(t, `[]`, pack(card())), proof.Unreadable},
		"no signature":              {token[:bytes.LastIndexByte(token, '.')+1], proof.Unreadable},
		"four parts":                {append(slices.Clone(token), ".AA"...), proof.Unreadable},
		"signature of 63 bytes":     {token[:len(token)-2], proof.Unreadable},
		"signature in ASN.1":        {asn1(t, token), proof.Unreadable},
		"padding":                   {append(slices.Clone(token), "=="...), proof.Unreadable},
		"line end in the token":     {bytes.Replace(token, []byte("."), []byte(".\n"), 1), proof.Unreadable},
		"left-over bits":            {leftover(token), proof.Unreadable},
		"zlib in place of DEFLATE":  {s.sign(t, s.header(), append([]byte{0x78, 0x9c}, pack(card())...)), proof.Unreadable},
		"bytes behind the payload":  {s.sign(t, s.header(), append(pack(card()), 0)), proof.Unreadable},
		"payload cut short":         {s.sign(t, s.header(), pack(card())[:200]), proof.Unreadable},
		"a bomb":                    {s.sign(t, s.header(), pack(make([]byte, 40<<20))), proof.TooLarge},
		"JSON too deep":             {s.sign(t, s.header(), pack(bytes.Repeat([]byte("["), 100000))), proof.TooLarge},
		"a name twice":              {good(`"nbf"`, `"nbf":1,"nbf"`), proof.Unreadable},
		"half a surrogate":          {good("Doe", `\ud800`), proof.Unreadable},
		"text behind the JSON":      {s.sign(t, s.header(), pack(append(card(), '{'))), proof.Unreadable},
		"a byte order mark":         {s.sign(t, s.header(), pack(append([]byte(bom), card()...))), proof.Unreadable},
		"JSON in JSON":              {s.sign(t, s.header(), pack([]byte(`"{\"iss\":\"https://issuer.example\"}"`))), proof.Content},
		"http":                      {good("https://issuer", "http://issuer"), proof.Content},
		"slash at the end":          {good("issuer.example", "issuer.example/"), proof.Content},
		"no issuer":                 {good(`"iss"`, `"is"`), proof.Content},
		"no nbf":                    {good(`"nbf"`, `"iat"`), proof.Content},
		"nbf is text":               {good("1700000000.5", `"1700000000.5"`), proof.Content},
		"nbf in milliseconds":       {good("1700000000.5", "1700000000500"), proof.Content},
		"nbf to come":               {good("1700000000.5", "1795600000.1"), proof.Early},
		"exp before nbf":            {good("1800000000", "1600000000"), proof.Content},
		"exp is text":               {good("1800000000", `"never"`), proof.Content},
		"expired":                   {good("1800000000", "1700000001"), proof.Expired},
		"rid too long":              {good(`"abc"`, `"abcdefghijklmnopqrstuvwxy"`), proof.Content},
		"rid of other letters":      {good(`"abc"`, `"a.c"`), proof.Content},
		"not of a health card":      {good("#health-card", "#wrong-health-card"), proof.Content},
		"type is text":              {good(`["https://smarthealth.cards#health-card"]`, `"https://smarthealth.cards#health-card"`), proof.Content},
		"FHIR 5":                    {good("4.0.1", "5.0.0"), proof.Unsupported},
		"no bundle":                 {good(`"Bundle"`, `"List"`), proof.Content},
		"no patient":                {good(`"Patient"`, `"Person"`), proof.Content},
		"two patients":              {good(nineResources, `{"fullUrl":"resource:9","resource":{"resourceType":"Patient","name":[{"family":"Roe"}]}},`+nineResources), proof.Content},
		"nobody's name":             {good(`[{"family":"Doe","given":["Jo"]}]`, `[]`), proof.Content},
		"born on no day":            {good("1980-02", "1980-02-30"), proof.Content},
		"another's dose":            {good(`{"reference":"resource:0"}`, `{"reference":"resource:7"}`), proof.Content},
		"nobody's dose":             {good(`"patient":{"reference":"resource:0"},`, ""), proof.Content},
		"a status that is none":     {good(`"completed"`, `"Completed"`), proof.Content},
		"not given":                 {good(`"completed"`, `"not-done"`), proof.Unsupported},
		"no vaccine":                {good(`[{"system":"http://hl7.org/fhir/sid/cvx","code":"03"}]`, `[]`), proof.Content},
		"code of no system":         {good(`"system":"http://hl7.org/fhir/sid/cvx",`, ""), proof.Content},
		"given on no day":           {good("2023-05-06", "2023-02-29"), proof.Content},
		"given twice":               {good(`"occurrenceDateTime"`, `"occurrenceString":"in May","occurrenceDateTime"`), proof.Content},
		"given at no time":          {good(`,"occurrenceDateTime":"2023-05-06"`, ""), proof.Content},
		"a test on no day":          {good(nineResources, strings.Replace(observation("94500-6", ""), "2023-05-07T10:00:00+05:00", "lately", 1)), proof.Content},
		"a test's status":           {good(nineResources, strings.Replace(observation("94500-6", ""), "final", "done", 1)), proof.Content},
		"another's test":            {good(nineResources, strings.Replace(observation("94500-6", ""), "resource:0", "resource:5", 1)), proof.Content},
		"nothing of ours":           {good(`"Immunization"`, `"Condition"`), proof.Unsupported},
		"one bad dose of two":       {good(nineResources, `{"fullUrl":"resource:2","resource":{"resourceType":"Immunization","status":"Partial"}},`+nineResources), proof.Content},
	} {
		r := Verify(c.token, s.keys(ourIssuer), nil, at)
		if r.Genuine() || len(r.Faults) == 0 {
			t.Errorf("%s: genuine", name)
			continue
		}
		if c.want != "" && r.Faults[0] != c.want {
			t.Errorf("%s: got %v, want %v", name, r.Faults, c.want)
		}
		if r.Claims != nil && r.Claims.Assurance == proof.Signed && !r.Checked {
			t.Errorf("%s: assured by a signature that nobody checked", name)
		}
	}
}

func flip(token []byte, i int) []byte {
	token = slices.Clone(token)
	if token[i] == 'A' {
		token[i] = 'B'
	} else {
		token[i] = 'A'
	}
	return token
}

// asn1 replaces a token's signature by the same one in ASN.1.
func asn1(t *testing.T, token []byte) []byte {
	t.Helper()
	i := bytes.LastIndexByte(token, '.')
	sig, err := base64.RawURLEncoding.DecodeString(string(token[i+1:]))
	if err != nil {
		t.Fatal(err)
	}
	der := append([]byte{0x30, 70, 2, 33, 0}, sig[:32]...)
	der = append(append(der, 2, 33, 0), sig[32:]...)
	return append(slices.Clone(token[:i+1]), enc(der)...)
}

// leftover sets a bit of the last letter that no byte has: 64 bytes are 85 letters and 2
// bits of the 86th.
func leftover(token []byte) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	token = slices.Clone(token)
	last := strings.IndexByte(letters, token[len(token)-1])
	token[len(token)-1] = letters[last^1]
	return token
}

func TestKeyStanding(t *testing.T) {
	s := newSigner(t)
	token := s.sign(t, s.header(), pack(card()))
	key := func(k proof.Key, age proof.Age) *Keys {
		k.Public = &s.priv.PublicKey
		return NewKeys([]IssuerKey{{ID: s.kid, Key: k}}, age)
	}
	for name, c := range map[string]struct {
		keys  proof.Keys
		fault proof.Fault
		note  proof.Fault
	}{
		"no list":          {nil, proof.ListMissing, ""},
		"absent":           {key(proof.Key{}, proof.Absent), proof.ListMissing, ""},
		"too old":          {key(proof.Key{}, proof.TooOld), proof.ListTooOld, ""},
		"stale":            {key(proof.Key{}, proof.Stale), "", proof.ListStale},
		"key expired":      {key(proof.Key{NotAfter: at.Add(-time.Second)}, proof.Fresh), proof.KeyExpired, ""},
		"key to come":      {key(proof.Key{NotBefore: at.Add(time.Second)}, proof.Fresh), proof.KeyEarly, ""},
		"for tests alone":  {key(proof.Key{Usage: proof.UsageTest}, proof.Fresh), proof.KeyUsage, ""},
		"for vaccinations": {key(proof.Key{Usage: proof.UsageVaccination}, proof.Fresh), "", ""},
	} {
		r := Verify(token, c.keys, nil, at)
		if c.fault == "" && !r.Genuine() || c.fault != "" && !slices.Contains(r.Faults, c.fault) {
			t.Errorf("%s: faults %v, want %q", name, r.Faults, c.fault)
		}
		if c.note != "" && !slices.Contains(r.Notes, c.note) {
			t.Errorf("%s: notes %v, want %q", name, r.Notes, c.note)
		}
	}
	// Two keys under one id, the right one last.
	wrong := newSigner(t)
	two := NewKeys([]IssuerKey{{ID: s.kid, Key: proof.Key{Public: &wrong.priv.PublicKey}}, {ID: s.kid, Key: proof.Key{Public: &s.priv.PublicKey}}}, proof.Fresh)
	if r := Verify(token, two, nil, at); !r.Genuine() {
		t.Errorf("two keys under one id: %v", r.Faults)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if r := Verify(token, NewKeys([]IssuerKey{{ID: s.kid, Key: proof.Key{Public: &p384.PublicKey}}}, proof.Fresh), nil, at); r.Genuine() || r.Faults[0] != proof.Algorithm {
		t.Errorf("a key of another curve: %v", r.Faults)
	}
}

func TestEvents(t *testing.T) {
	read := func(with ...string) *Card {
		t.Helper()
		c, err := ParsePayload(card(with...))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := read()
	var ds []proof.Disease
	for _, e := range c.Claims.Events {
		ds = append(ds, e.Disease)
	}
	if !slices.Equal(ds, []proof.Disease{proof.Measles, proof.Mumps, proof.Rubella}) {
		t.Errorf("a vaccine against three diseases: %v", ds)
	}
	if b := c.Claims.Holder.Birth; b.Year != 1980 || b.Month != 2 || b.Day != 0 {
		t.Errorf("a birth without a day: %v", b)
	}
	// The disease that the issuer names, with the number of the dose.
	c = read(`"code":"03"`, `"code":"9999"`, `"occurrenceDateTime"`,
		`"protocolApplied":[{"doseNumberPositiveInt":2,"seriesDosesPositiveInt":3,"targetDisease":[{"coding":[{"system":"http://snomed.info/sct","code":"398102009"}]}]}],"occurrenceDateTime"`)
	if e := c.Claims.Events; len(e) != 1 || e[0].Disease != proof.Polio || e[0].Dose != 2 || e[0].Of != 3 || e[0].Type.Value != "9999" {
		t.Errorf("polio, dose 2 of 3: got %d events", len(e))
	}
	// A vaccine that this build does not know is an event of no disease.
	c = read(`"code":"03"`, `"code":"9999"`)
	if e := c.Claims.Events; len(e) != 1 || e[0].Disease != proof.UnknownCode || e[0].DiseaseCode.Value != "9999" {
		t.Errorf("unknown vaccine: %d events", len(e))
	}
	if r := c.Verify(nil, nil, at); !slices.Contains(r.Notes, proof.UnknownDisease) {
		t.Errorf("unknown vaccine: notes %v", r.Notes)
	}
	// A dose of no known day, and one that does not count.
	c = read(`"occurrenceDateTime":"2023-05-06"`, `"occurrenceString":"last spring"`)
	if e := c.Claims.Events; len(e) != 3 || !e[0].On.IsZero() {
		t.Error("a dose of no known day")
	}
	if c := read(`"occurrenceDateTime"`, `"isSubpotent":true,"occurrenceDateTime"`); !c.Empty || len(c.Claims.Events) != 0 {
		t.Error("a dose that does not count")
	}
	// A summary of somebody's blood, and of nobody.
	if c := read(`"Patient"`, `"Device"`, `"Immunization"`, `"Observation"`); !c.Empty {
		t.Error("an observation of nobody")
	}

	for rest, want := range map[string]proof.TestResult{
		`,"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260415000"}]}`:                                                        proof.Negative,
		`,"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260373001"}]}`:                                                        proof.Positive,
		`,"valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA9663-1"}]}`:                                                               proof.Inconclusive,
		`,"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260415000"},{"system":"http://snomed.info/sct","code":"260373001"}]}`: proof.OtherResult,
		`,"valueString":"Not detected"`: proof.Negative,
		`,"valueString":"not negative"`: proof.OtherResult,
		`,"valueQuantity":{"value":0}`:  proof.OtherResult,
		``:                              proof.OtherResult,
		`,"valueString":"Negative","performer":[{"display":"Lab 7"}],"issued":"2023-05-08"`: proof.Negative,
	} {
		c := read(nineResources, observation("94500-6", rest))
		e := c.Claims.Events[0]
		if e.Kind != proof.Test || e.TestKind != proof.NAAT || e.Disease != proof.COVID19 || e.Result != want || e.On.String() != "2023-05-07T10:00:00+05:00" {
			t.Errorf("%s: %v %v, result %v, want %v", rest, e.TestKind, e.Disease, e.Result, want)
		}
		if strings.Contains(rest, "Lab 7") && (e.Place != "Lab 7" || e.ReportedOn.String() != "2023-05-08") {
			t.Error("place and day of the report")
		}
	}
	if c := read(nineResources, observation("94558-4", "")); c.Claims.Events[0].TestKind != proof.Antigen {
		t.Error("a test for antigens")
	}
	if c := read(nineResources, observation("29463-7", "")); len(c.Claims.Events) != 3 {
		t.Error("a weight is taken for a test")
	}
	if c := read(nineResources, observation("1-8", `,"category":[{"coding":[{"code":"laboratory"}]}]`)); c.Claims.Events[0].TestKind != proof.OtherTest || c.Claims.Events[0].Disease != "" {
		t.Error("a laboratory's test for something else")
	}
}

// chunks cuts a token into codes as an issuer of before 1.3 did.
func chunks(token []byte, n int) []string {
	if n == 1 {
		return []string{"shc:/" + digits(token)}
	}
	var out []string
	size := (len(token) + n - 1) / n
	for i := range n {
		part := token[i*size : min(len(token), (i+1)*size)]
		out = append(out, fmt.Sprintf("shc:/%d/%d/%s", i+1, n, digits(part)))
	}
	return out
}

func digits(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, "%02d", c-'-')
	}
	return s.String()
}

func TestChunks(t *testing.T) {
	s := newSigner(t)
	a := s.sign(t, s.header(), pack(card()))
	b := s.sign(t, s.header(), pack(card("Doe", "Roe")))
	a1, a3, b3, b2 := chunks(a, 1), chunks(a, 3), chunks(b, 3), chunks(b, 2)
	for name, c := range map[string]struct {
		codes []string
		want  [][]byte
		err   error
	}{
		"one":                          {a1, [][]byte{a}, nil},
		"upper case":                   {[]string{"SHC" + a1[0][3:]}, [][]byte{a}, nil},
		"numbered one of one":          {[]string{"shc:/1/1/" + a1[0][5:]}, [][]byte{a}, nil},
		"in order":                     {a3, [][]byte{a}, nil},
		"out of order":                 {[]string{a3[2], a3[0], a3[1]}, [][]byte{a}, nil},
		"seen twice":                   {[]string{a3[2], a3[0], a3[2], a3[1], a3[0]}, [][]byte{a}, nil},
		"two cards of different count": {[]string{a3[1], b2[1], a3[0], b2[0], a3[2]}, [][]byte{b, a}, nil},
		"whole card twice":             {append(slices.Clone(a3), a1...), [][]byte{a}, nil},
		"one is missing":               {a3[:2], nil, ErrIncomplete},
		"one is missing beside a card": {append(slices.Clone(a3[:2]), b2...), [][]byte{b}, ErrIncomplete},
		"parts of two cards":           {[]string{a3[0], b3[1], a3[2], b3[1]}, [][]byte{slices.Concat(part(a, 0), part(b, 1), part(a, 2))}, nil},
		"number beyond the count":      {[]string{"shc:/4/3/5676"}, nil, ErrForm},
		"number nought":                {[]string{"shc:/0/3/5676"}, nil, ErrForm},
		"leading nought":               {[]string{"shc:/01/3/5676"}, nil, ErrForm},
		"number without a count":       {[]string{"shc:/1/5676"}, nil, ErrForm},
		"no slash":                     {[]string{"shc:5676"}, nil, ErrForm},
		"odd digits":                   {[]string{a1[0] + "1"}, nil, ErrForm},
		"a pair beyond z":              {[]string{"shc:/5678"}, nil, ErrForm},
		"a letter":                     {[]string{"shc:/567a"}, nil, ErrForm},
		"nothing":                      {[]string{"shc:/"}, nil, ErrForm},
		"something else between":       {[]string{a3[0], "hello", a3[1]}, nil, ErrForm},
		"too many parts":               {[]string{"shc:/1/17/5676"}, nil, ErrSize},
		"digits beyond a code":         {[]string{"shc:/" + strings.Repeat("56", 4000)}, nil, ErrSize},
	} {
		o, err := Open([]byte(strings.Join(c.codes, "\n")))
		if !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.err)
			continue
		}
		if len(o.Tokens) != len(c.want) {
			t.Errorf("%s: %d tokens, want %d", name, len(o.Tokens), len(c.want))
			continue
		}
		for i := range c.want {
			if !slices.ContainsFunc(o.Tokens, func(b []byte) bool { return bytes.Equal(b, c.want[i]) }) {
				t.Errorf("%s: a token is another", name)
			}
		}
	}
	// Two cards of one count, which only their signatures tell apart.
	rs := Read([]byte(strings.Join([]string{a3[1], b3[1], b3[0], a3[0], a3[2], b3[2]}, " ")), s.keys(ourIssuer), nil, at)
	var names []string
	for _, r := range rs {
		if r.Genuine() {
			names = append(names, r.Claims.Holder.Family)
		}
	}
	slices.Sort(names)
	if len(rs) != 2 || !slices.Equal(names, []string{"Doe", "Roe"}) {
		t.Errorf("two cards of one count: %d results, genuine %v", len(rs), names)
	}
	if rs := Read([]byte(strings.Join(a3[:2], " ")), nil, nil, at); len(rs) != 1 || rs[0].Faults[0] != proof.Incomplete {
		t.Errorf("two of three: %v", rs)
	}
	o, err := Open([]byte(strings.Join(a3[:2], " ")))
	if o.Have != 2 || o.Want != 3 || proof.FaultOf(err) != proof.Incomplete {
		t.Errorf("%d of %d, %v", o.Have, o.Want, proof.FaultOf(err))
	}
	// What was put together of two cards is not signed by anybody.
	o, err = Open([]byte(strings.Join([]string{a3[0], b3[1], a3[2]}, " ")))
	if err != nil {
		t.Fatal(err)
	}
	if r := Verify(o.Tokens[0], s.keys(ourIssuer), nil, at); r.Genuine() {
		t.Error("a card of two cards' parts is genuine")
	}
}

func part(token []byte, i int) []byte {
	size := (len(token) + 2) / 3
	return token[i*size : min(len(token), (i+1)*size)]
}

func TestOpen(t *testing.T) {
	s := newSigner(t)
	token := s.sign(t, s.header(), pack(card()))
	for name, c := range map[string]struct {
		text     string
		n        int
		findings string
		err      error
	}{
		"token":              {string(token), 1, "", nil},
		"token with spaces":  {"\r\n " + string(token) + "\n", 1, "", nil},
		"file":               {`{"verifiableCredential":["` + string(token) + `"]}`, 1, "", nil},
		"spaces in the file": {`{"verifiableCredential":["` + string(token) + `\n"]}`, 1, "text.space", nil},
		"byte order mark":    {bom + string(token), 1, "text.mark", nil},
		"parameters":         {`{"resourceType":"Parameters","parameter":[{"name":"x"},{"name":"verifiableCredential","valueString":"` + string(token) + `"}]}`, 1, "", nil},
		"empty file":         {`{"verifiableCredential":[]}`, 0, "", ErrForm},
		"file of numbers":    {`{"verifiableCredential":[1]}`, 0, "", ErrForm},
		"file of something":  {`{"a":1}`, 0, "", ErrNotCard},
		"file cut short":     {`{"verifiableCredential":["`, 0, "", ErrForm},
		"too many cards":     {`{"verifiableCredential":[` + strings.Repeat(`"e",`, 16) + `"e"]}`, 16, "", ErrSize},
		"a link":             {"shlink:/eyJ1cmwiOiJodHRwczovL2V4YW1wbGUifQ", 0, "", ErrUnsupported},
		"something else":     {"HC1:6BF", 0, "", ErrNotCard},
		"nothing":            {"", 0, "", ErrNotCard},
		"too long":           {strings.Repeat(" ", MaxText+1), 0, "", ErrSize},
	} {
		o, err := Open([]byte(c.text))
		var rules []string
		for _, f := range o.Findings {
			rules = append(rules, f.Rule)
		}
		if !errors.Is(err, c.err) || c.err == nil && err != nil || len(o.Tokens) != c.n || strings.Join(rules, " ") != c.findings {
			t.Errorf("%s: %d tokens, %v, %v; want %d, %q, %v", name, len(o.Tokens), rules, err, c.n, c.findings, c.err)
		}
		if want := c.err == nil || c.err == ErrUnsupported; want && !Known([]byte(strings.TrimPrefix(c.text, bom))) {
			t.Errorf("%s: not known", name)
		}
	}
}

func jwk(s signer, with ...string) string {
	b, err := s.priv.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	text := fmt.Sprintf(`{"kty":"EC","kid":%q,"use":"sig","alg":"ES256","crv":"P-256","x":%q,"y":%q}`, s.kid, enc(b[1:33]), enc(b[33:]))
	for i := 0; i+1 < len(with); i += 2 {
		text = strings.Replace(text, with[i], with[i+1], 1)
	}
	return text
}

func TestReadKeys(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	b, _ := other.priv.PublicKey.Bytes()
	for name, c := range map[string]struct{ key, why string }{
		"right":          {jwk(s), ""},
		"of RSA":         {jwk(s, `"EC"`, `"RSA"`), "kty"},
		"to encrypt":     {jwk(s, `"sig"`, `"enc"`), "use"},
		"no algorithm":   {jwk(s, `"alg":"ES256",`, ""), "alg"},
		"other curve":    {jwk(s, "P-256", "P-384"), "crv"},
		"private":        {jwk(s, `{`, `{"d":"AA",`), "private"},
		"of another id":  {jwk(s, s.kid, other.kid), "kid"},
		"off the curve":  {jwk(s, `"y":"`+enc(bytesOf(s)[33:]), `"y":"`+enc(b[33:])), "point"},
		"short":          {jwk(s, `"x":"`+enc(bytesOf(s)[1:33]), `"x":"`+enc(bytesOf(s)[1:32])), "point"},
		"no certificate": {jwk(s, `{`, `{"x5c":["AAAA"],`), "x5c"},
	} {
		f, err := ReadKeys([]byte(`{"keys":[`+c.key+`,`+jwk(other)+`]}`), ourIssuer)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.why == "" {
			if len(f.Keys) != 2 || f.Keys[0].Key.Issuer != ourIssuer {
				t.Errorf("%s: %v", name, f.Refused)
			}
			continue
		}
		if len(f.Keys) != 1 || len(f.Refused) != 1 || f.Refused[0].Why != c.why || f.Keys[0].ID != other.kid {
			t.Errorf("%s: %d keys, refused %v, want %s", name, len(f.Keys), f.Refused, c.why)
		}
	}
	directory := `{"issuerInfo":[{"issuer":{"iss":"https://a.example"},"keys":[` + jwk(s) + `],"crls":[{"kid":"` + s.kid + `","method":"rid","ctr":1,"rids":["abc"]},{"kid":"x"}]},` +
		`{"issuer":{"iss":"https://b.example"},"keys":[` + jwk(other) + `]},{"keys":[` + jwk(other) + `]}]}`
	f, err := ReadKeys([]byte(directory), "")
	if err != nil || len(f.Keys) != 2 || f.Keys[0].Key.Issuer != "https://a.example" || f.Keys[1].Key.Issuer != "https://b.example" || len(f.Revoked) != 1 {
		t.Errorf("directory: %d keys, %d lists, %v", len(f.Keys), len(f.Revoked), err)
	}
	f, err = ReadKeys([]byte(`{"issuer":"https://c.example","keys":[`+jwk(s)+`]}`), "")
	if err != nil || len(f.Keys) != 1 || f.Keys[0].Key.Issuer != "https://c.example" {
		t.Errorf("a set that says whose it is: %v", err)
	}
	if f, err := ReadKeys([]byte(jwk(s)), ourIssuer); err != nil || len(f.Keys) != 1 || f.Keys[0].Key.Issuer != ourIssuer {
		t.Errorf("a key alone: %v", err)
	}
	for _, bad := range []string{"", "{}", "[]", `{"keys":1}`, `{"keys":[1]`} {
		if _, err := ReadKeys([]byte(bad), ""); !errors.Is(err, ErrKeySet) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if !LooksLikeKeys([]byte(directory)) || !LooksLikeKeys([]byte(`{"keys":[`+jwk(s)+`]}`)) || LooksLikeKeys(card()) {
		t.Error("what looks like keys")
	}
}

// TestCertificates holds what the certificate of a key says of it.
func TestCertificates(t *testing.T) {
	s, other := newSigner(t), newSigner(t)
	certificate := func(of signer, address string) string {
		t.Helper()
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		// It ran out long ago: the key is trusted for the list that it stands in.
		c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: at.AddDate(-3, 0, 0), NotAfter: at.AddDate(-2, 0, 0), URIs: []*url.URL{u}}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &of.priv.PublicKey, of.priv)
		if err != nil {
			t.Fatal(err)
		}
		return `{"x5c":["` + base64.StdEncoding.EncodeToString(der) + `"],`
	}
	for name, c := range map[string]struct{ set, issuer, want string }{
		"its own":                {jwk(s, "{", certificate(s, ourIssuer)), "", ourIssuer},
		"another's":              {jwk(s, "{", certificate(other, ourIssuer)), "", "x5c"},
		"the caller knows whose": {jwk(s, "{", certificate(s, ourIssuer)), "https://a.example", "https://a.example"},
		"of the second key":      {jwk(other) + "," + jwk(s, "{", certificate(s, ourIssuer)), "", ourIssuer},
		"none, and nobody knows": {jwk(s), "", ""},
	} {
		f, err := ReadKeys([]byte(`{"keys":[`+c.set+`]}`), c.issuer)
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "x5c" {
			if len(f.Keys) != 0 || len(f.Refused) != 1 || f.Refused[0].Why != "x5c" {
				t.Errorf("%s: %d keys, refused %v", name, len(f.Keys), f.Refused)
			}
			continue
		}
		if len(f.Keys) == 0 || f.Keys[0].Key.Issuer != c.want {
			t.Errorf("%s: %d keys, want them bound to %q", name, len(f.Keys), c.want)
		}
	}
}

func bytesOf(s signer) []byte {
	b, _ := s.priv.PublicKey.Bytes()
	return b
}

func TestRevoked(t *testing.T) {
	s := newSigner(t)
	token := s.sign(t, s.header(), pack(card()))
	list := func(rids string) Revocations {
		t.Helper()
		r, err := ReadRevoked([]byte(`{"kid":"` + s.kid + `","method":"rid","ctr":3,"rids":[` + rids + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return NewRevocations([]Revoked{r})
	}
	// The card was issued half a second after 1700000000.
	for rids, want := range map[string]bool{
		``:                                  false,
		`"abd"`:                             false,
		`"ABC"`:                             false,
		`"abc"`:                             true,
		`"x","abc"`:                         true,
		`"abc.1700000000"`:                  false,
		`"abc.1700000001"`:                  true,
		`"abc.1600000000","abc.1700000001"`: true,
		`"abc.1700000001","abc.1600000000"`: true,
		`"abc","abc.1600000000"`:            true,
		`"abc.x"`:                           false, // no entry
		`"abc.-1"`:                          false,
	} {
		r := Verify(token, s.keys(ourIssuer), list(rids), at)
		if got := slices.Contains(r.Faults, proof.Revoked); got != want || r.Genuine() == want || len(r.Notes) != 0 {
			t.Errorf("%s: revoked %v, want %v; faults %v, notes %v", rids, got, want, r.Faults, r.Notes)
		}
	}
	if l := list(`"a b","abcdefghijklmnopqrstuvwxy",1,"ok"`)[s.kid]; l.Refused != 3 || l.Len() != 1 {
		t.Errorf("refused %d, kept %d", l.Refused, l.Len())
	}
	// Without a list, and with another key's, it is said that nobody could be asked.
	for _, rs := range []proof.Revocation{nil, NewRevocations(nil)} {
		if r := Verify(token, s.keys(ourIssuer), rs, at); !r.Genuine() || !slices.Contains(r.Notes, proof.RevocationMissing) {
			t.Errorf("no list: faults %v, notes %v", r.Faults, r.Notes)
		}
	}
	// A newer list stands for an older one, in whatever order they are read.
	older, _ := ReadRevoked([]byte(`{"kid":"k","method":"rid","ctr":1,"rids":["a"]}`))
	newer, _ := ReadRevoked([]byte(`{"kid":"k","method":"rid","ctr":2,"rids":[]}`))
	for _, lists := range [][]Revoked{{older, newer}, {newer, older}} {
		if rs := NewRevocations(lists); rs["k"].Counter != 2 {
			t.Error("the older list is asked")
		}
	}
	for _, bad := range []string{"", "{}", `{"method":"rid","ctr":1,"rids":[]}`, `{"kid":"k","method":"uri","ctr":1,"rids":[]}`, `{"kid":"k","method":"rid","ctr":0,"rids":[]}`, `{"kid":"k","method":"rid","ctr":1,"rids":{}}`} {
		if _, err := ReadRevoked([]byte(bad)); !errors.Is(err, ErrRevoked) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestHostile holds what a code may cost whatever it holds, to a megabyte.
func TestHostile(t *testing.T) {
	s := newSigner(t)
	long := func(n int, unit string) []byte { return bytes.Repeat([]byte(unit), n) }
	hostile := map[string][]byte{
		"good":                {},
		"bomb of noughts":     s.sign(t, s.header(), pack(make([]byte, 40<<20))),
		"bomb of brackets":    s.sign(t, s.header(), pack(long(120000, "["))),
		"many values":         s.sign(t, s.header(), pack(append([]byte("["), long(65000, "0,")...))),
		"many objects":        s.sign(t, s.header(), pack(append([]byte("["), long(40000, "{},")...))),
		"many findings":       s.sign(t, s.header(), pack(card(`"name":[`, `"name":[`+strings.Repeat(`{"text":"","x":null},`, 1500)))),
		"many doses":          s.sign(t, s.header(), pack(card(nineResources, strings.Repeat(`{"fullUrl":"resource:1","resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"132"}]},"patient":{"reference":"resource:0"},"occurrenceDateTime":"2023-05-06"}},`, 480)+nineResources))),
		"long words":          s.sign(t, s.header(), pack(card("Doe", strings.Repeat("x", 100000)))),
		"huge number":         s.sign(t, s.header(), pack(card("1700000000.5", "1e999999999"))),
		"long number":         s.sign(t, s.header(), pack(card("1700000000.5", strings.Repeat("9", 5000)))),
		"long token":          long(MaxText/2, "ey"),
		"long header":         append([]byte("ey"), long(MaxToken-10, "A")...),
		"digits":              append([]byte("shc:/"), long(MaxText/2-10, "56")...),
		"many codes":          long(MaxText/16, "shc:/1/2/567629\n"),
		"many different ones": manyChunks(),
		"many cards in one":   append([]byte(`{"verifiableCredential":["`), append(long(MaxText/4-20, `a","`), `"]}`...)...),
		"deep file":           append([]byte(`{"verifiableCredential":`), long(100000, "[")...),
	}
	hostile["good"] = s.sign(t, s.header(), pack(card()))
	keys := s.keys(ourIssuer)
	for name, text := range hostile {
		runtime.GC()
		runtime.GC() // twice, so that the pools are empty as well
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		o, err := Open(text)
		genuine := false
		for _, token := range o.Tokens {
			r := Verify(token, keys, nil, at)
			genuine = genuine || r.Genuine()
		}
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
			t.Errorf("%s: %d bytes allocated (%v)", name, spent, err)
		}
		if genuine != (name == "good" || name == "many findings") {
			t.Errorf("%s: genuine is %v", name, genuine)
		}
	}
}

// manyChunks are parts of one count that all differ.
func manyChunks() []byte {
	var b bytes.Buffer
	for i := range 200 {
		fmt.Fprintf(&b, "shc:/%d/16/%02d%02d\n", i%16+1, i/16%78, i%78)
	}
	return b.Bytes()
}

// A card costs few allocations once the pools are warm.
func TestAllocations(t *testing.T) {
	s := newSigner(t)
	token, keys := s.sign(t, s.header(), pack(card())), s.keys(ourIssuer)
	n := testing.AllocsPerRun(50, func() {
		if r := Verify(token, keys, nil, at); !r.Genuine() {
			t.Fatal(r.Faults)
		}
	})
	if n > 40 {
		t.Errorf("%v allocations, want at most 40", n)
	}
}

func FuzzOpen(f *testing.F) {
	s := newSigner(f)
	token := s.sign(f, s.header(), pack(card()))
	f.Add([]byte(strings.Join(chunks(token, 1), "")))
	f.Add([]byte(strings.Join(chunks(token, 3), " ")))
	f.Add(token)
	f.Add([]byte(`{"verifiableCredential":["` + string(token) + `"]}`))
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"verifiableCredential","valueString":"e"}]}`))
	for _, name := range []string{"examples/example-00-f-qr-code-numeric-value-0.txt", "examples/example-01-e-file.smart-health-card"} {
		if b, err := os.ReadFile(filepath.Join(vectors, name)); err == nil {
			f.Add(b)
		}
	}
	keys := s.keys("https://nobody.example")
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := Open(text)
		if err != nil && !slices.Contains(proof.Faults(), proof.FaultOf(err)) {
			t.Fatalf("no fault for %v", err)
		}
		Known(text)
		for _, token := range o.Tokens {
			if r := Verify(token, keys, nil, at); r.Genuine() {
				t.Fatal("genuine")
			}
		}
	})
}

// FuzzPayload fuzzes what is inside, which FuzzOpen hardly reaches through DEFLATE.
func FuzzPayload(f *testing.F) {
	f.Add(card())
	f.Add(card(nineResources, observation("94500-6", `,"valueString":"Negative"`)))
	f.Add(card(`"occurrenceDateTime"`, `"protocolApplied":[{"doseNumberPositiveInt":2}],"occurrenceString":"x","occurrenceDateTime"`))
	f.Add([]byte(`{"iss":"https://a","nbf":-1e20,"vc":{"type":[]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParsePayload(b)
		if err != nil {
			ParseBundle(b)
			return
		}
		if len(c.Claims.Events) == 0 && c.graveness() < Content && !c.Empty {
			t.Fatal("a card of nothing is accepted")
		}
		if !json.Valid(b) {
			t.Fatal("accepted what is not JSON")
		}
		r := c.Verify(nil, nil, at)
		if r.Genuine() {
			t.Fatal("genuine without a key")
		}
	})
}

func FuzzReadKeys(f *testing.F) {
	s := newSigner(f)
	f.Add([]byte(`{"keys":[` + jwk(s) + `]}`))
	f.Add([]byte(`{"issuerInfo":[{"issuer":{"iss":"https://a"},"keys":[` + jwk(s) + `],"crls":[{"kid":"k","method":"rid","ctr":1,"rids":["a.1","b"]}]}]}`))
	f.Add([]byte(`{"kid":"k","method":"rid","ctr":1,"rids":["a.1","b"]}`))
	if b, err := os.ReadFile(filepath.Join(vectors, "examples/issuer/.well-known/jwks.json")); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if file, err := ReadKeys(b, ""); err == nil {
			NewKeys(file.Keys, proof.Fresh)
			NewRevocations(file.Revoked)
		}
		if r, err := ReadRevoked(b); err == nil {
			r.Has("a", at)
		}
	})
}
