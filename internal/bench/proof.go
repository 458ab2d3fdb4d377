// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/shc"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
)

// certificates are health certificates to be shown, with the lists that a gate has.
type certificates struct {
	dcc, day []string
	keys     *trust.Store
	cards    *shc.Keys
	revoked  *trust.Revoked
	now      time.Time
}

// Keys implements proof.Keys.
func (c *certificates) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	if q.Format == proof.SHC {
		return c.cards.Keys(q)
	}
	return c.keys.Keys(q)
}

// newCertificates issues n European certificates by eight of 800 keys of a list, of which
// every second is of a test, and a day of them with a SMART Health Card for each tenth and
// a damaged one for each twentieth. A filter of 100,000 revocations is asked for each.
func newCertificates(n int) (*certificates, error) {
	c := &certificates{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	list := trust.NewList("bench", c.now)
	var signers []*ecdsa.PrivateKey
	var ids [][]byte
	for i := range 800 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		id := binary.BigEndian.AppendUint64(nil, uint64(i)*0x9e3779b97f4a7c15)
		list.AddKey(id, proof.Key{Public: &key.PublicKey, Country: "AUT", NotBefore: c.now.Add(-time.Hour), NotAfter: c.now.Add(time.Hour)})
		if i%100 == 0 {
			signers, ids = append(signers, key), append(ids, id)
		}
	}
	c.keys = trust.NewStore(trust.Limits{Stale: time.Hour}, list)
	var hashes []proof.Hash
	for i := range 100_000 {
		hashes = append(hashes, proof.NewHash(proof.HashUVCI, binary.BigEndian.AppendUint32(nil, uint32(i))))
	}
	filter, err := trust.NewFilter(hashes)
	if err != nil {
		return nil, err
	}
	c.revoked = trust.NewRevoked(filter, trust.NewEntries(hashes).Has, c.now, trust.Limits{})
	card, public, err := newCard(c.now)
	if err != nil {
		return nil, err
	}
	c.cards = shc.NewKeys([]shc.IssuerKey{{ID: "bench-key", Key: public}}, proof.Fresh)
	for i := range n {
		on, err := proof.ParseDate("2026-02-27T10:00:00Z")
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(binary.BigEndian.AppendUint32(nil, uint32(i)))
		e := proof.Event{Kind: proof.Test, Disease: proof.COVID19, On: on, Country: "AUT", Issuer: "Ministry of Health, Austria", TestKind: proof.Antigen, Result: proof.Negative, Place: "Testing center Vienna 1",
			TestDevice: proof.Code{System: proof.JRC, Value: "1232"}}
		if i%2 == 0 {
			e = proof.Event{Kind: proof.Vaccination, Disease: proof.COVID19, On: on, Country: "AUT", Issuer: "Ministry of Health, Austria", Dose: 2, Of: 2, Product: proof.Code{System: proof.EUReg, Value: "EU/1/20/1528"},
				Type: proof.Code{System: proof.SNOMED, Value: "1119349007"}, Manufacturer: proof.Code{System: proof.EUOrg, Value: "ORG-100030215"}}
		}
		claims := &proof.Claims{Issuer: "AT", IssuedAt: c.now.Add(-time.Hour), Until: c.now.Add(time.Hour), ID: fmt.Sprintf("URN:UVCI:01:AT:%X#2", sum[:16]), Events: []proof.Event{e},
			Holder: proof.Holder{Family: "Musterfrau-Gößinger", FamilyICAO: "MUSTERFRAU<GOESSINGER", Given: "Gabriele", GivenICAO: "GABRIELE", Birth: identity.PartialDate{Year: 1998, Month: 2, Day: 1 + i%28}}}
		text, err := hcert.Issue(signers[i%len(signers)], ids[i%len(ids)], claims)
		if err != nil {
			return nil, err
		}
		c.dcc = append(c.dcc, text)
		switch {
		case i%20 == 10:
			text = text[:len(text)-3] + "000"
		case i%10 == 0:
			text = card
		}
		c.day = append(c.day, text)
	}
	return c, nil
}

// newCard signs a SMART Health Card with one dose, and returns it as the text of its code.
func newCard(now time.Time) (string, proof.Key, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", proof.Key{}, err
	}
	const issuer = "https://issuer.example"
	payload := fmt.Sprintf(`{"iss":%q,"nbf":%d,"vc":{"type":["https://smarthealth.cards#health-card","https://smarthealth.cards#immunization"],"credentialSubject":{"fhirVersion":"4.0.1","fhirBundle":{"resourceType":"Bundle","type":"collection","entry":[`+
		`{"fullUrl":"resource:0","resource":{"resourceType":"Patient","name":[{"family":"Anyperson","given":["Sara"]}],"birthDate":"1990-01-20"}},`+
		`{"fullUrl":"resource:1","resource":{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"207"}]},"patient":{"reference":"resource:0"},"occurrenceDateTime":"2026-01-01","lotNumber":"0000001"}}]}}}}`,
		issuer, now.Add(-time.Hour).Unix())
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return "", proof.Key{}, err
	}
	if _, err = z.Write([]byte(payload)); err == nil {
		err = z.Close()
	}
	if err != nil {
		return "", proof.Key{}, err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(`{"alg":"ES256","zip":"DEF","kid":"bench-key"}`)) + "." + b64(packed.Bytes())
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", proof.Key{}, err
	}
	token := signed + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	var digits strings.Builder
	digits.WriteString("shc:/")
	for _, ch := range []byte(token) {
		fmt.Fprintf(&digits, "%02d", ch-45)
	}
	return digits.String(), proof.Key{Public: &key.PublicKey, Issuer: issuer}, nil
}

// proofDCC measures the verification of one European certificate, from its text to its
// claims, as a multiple of the bare verification of one P-256 signature.
func proofDCC(ctx context.Context, say func(string, ...any)) (float64, error) {
	c, err := newCertificates(512)
	if err != nil {
		return 0, err
	}
	return againstBare(ctx, say, "one European certificate", func(i int) error {
		if r := hcert.Verify(c.dcc[i%len(c.dcc)], c.now, c, c.revoked); !r.Genuine() {
			return fmt.Errorf("a good certificate is refused: %v", r.Faults)
		}
		return nil
	})
}

// proofDay measures the same of a day's mix, through the door that tells formats apart.
func proofDay(ctx context.Context, say func(string, ...any)) (float64, error) {
	c, err := newCertificates(500)
	if err != nil {
		return 0, err
	}
	texts := make([][]byte, len(c.day))
	for i, text := range c.day {
		texts[i] = []byte(text)
	}
	return againstBare(ctx, say, "a certificate of a day's mix", func(i int) error {
		i %= len(texts)
		rs := verify.Text(texts[i], c, c.revoked, c.now)
		if damaged := i%20 == 10; len(rs) != 1 || rs[0].Genuine() == damaged {
			return fmt.Errorf("certificate %d: %v", i, rs[0].Faults)
		}
		return nil
	})
}

func againstBare(ctx context.Context, say func(string, ...any), what string, f func(i int) error) (float64, error) {
	bare, err := newBare(512)
	if err != nil {
		return 0, err
	}
	const each = 100 * time.Millisecond
	var ours, base, ratios []float64
	for range 31 {
		a, err := timed(each, bare)
		if err != nil {
			return 0, err
		}
		b, err := timed(each, f)
		if err != nil {
			return 0, err
		}
		base, ours, ratios = append(base, a), append(ours, b), append(ratios, b/a)
		if ctx.Err() != nil {
			return 0, errors.New("stopped")
		}
	}
	say("%s %.1f µs, a bare P-256 verification %.1f µs", what, median(ours), median(base))
	return median(ratios), nil
}
