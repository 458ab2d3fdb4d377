// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/adler32"
	"io"
	"math"
	"math/big"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/trust"
	"github.com/fxamacker/cbor/v2"
)

var (
	now   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	keyID = []byte("12345678")
)

// m writes maps in tests: pairs of any keys, which may stand twice.
type m []any

func (v m) MarshalCBOR() ([]byte, error) {
	b := cose.AppendMap(nil, len(v)/2)
	for _, x := range v {
		b = append(b, must(cbor.Marshal(x))...)
	}
	return b, nil
}

type signerOf struct {
	key  *ecdsa.PrivateKey
	keys []proof.Key
}

func newSigner(t testing.TB) signerOf {
	t.Helper()
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return signerOf{k, []proof.Key{{Public: &k.PublicKey, Country: "AUT"}}}
}

// Keys implements proof.Keys: one id is known.
func (s signerOf) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	if string(q.KeyID) != string(keyID) {
		return nil, proof.Fresh
	}
	return s.keys, proof.Fresh
}

func (s signerOf) sign(payload any) []byte {
	b, ok := payload.([]byte)
	if !ok {
		b = must(cbor.Marshal(payload))
	}
	return must(cose.Sign1(s.key, cose.Header{Alg: cose.ES256, KeyID: keyID}, b, nil))
}

func pack(msg []byte) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(msg)
	z.Close()
	return Prefix + cose.EncodeBase45(b.Bytes())
}

func dose(more ...any) m {
	return append(m{"tg", "840539006", "vp", "1119349007", "mp", "EU/1/20/1528", "ma", "ORG-100030215", "dn", 2, "sd", 2, "dt", "2026-01-05", "co", "AT", "is", "Ministry", "ci", "URN:UVCI:01:AT:1#2"}, more...)
}

func payload(event m, more ...any) m {
	return m{1, "AT", 6, now.Unix() - 100, 4, now.Unix() + 100, -260, m{1, append(m{"ver", "1.3.0", "dob", "1990-02-03", "nam", m{"fn", "Åberg", "fnt", "AABERG", "gn", "Eva", "gnt", "EVA"}, "v", []any{event}}, more...)}}
}

// TestVerify is one certificate and what is done to it, to its key and to the clock.
func TestVerify(t *testing.T) {
	s := newSigner(t)
	other := newSigner(t)
	text := pack(s.sign(payload(dose())))
	with := func(change func(*proof.Key)) signerOf {
		k := s.keys[0]
		change(&k)
		return signerOf{s.key, []proof.Key{k}}
	}
	for name, c := range map[string]struct {
		text string
		at   time.Time
		keys proof.Keys
		want []proof.Fault
	}{
		"good":                   {text, now, s, nil},
		"its first second":       {text, now.Add(-100 * time.Second), s, nil},
		"before":                 {text, now.Add(-101 * time.Second), s, []proof.Fault{proof.Early}},
		"its last second":        {text, now.Add(100*time.Second + 999*time.Millisecond), s, nil},
		"after":                  {text, now.Add(101 * time.Second), s, []proof.Fault{proof.Expired}},
		"by another key":         {text, now, other, []proof.Fault{proof.Forged}},
		"key unknown":            {pack(must(cose.Sign1(s.key, cose.Header{Alg: cose.ES256, KeyID: []byte("other678")}, must(cbor.Marshal(payload(dose()))), nil))), now, s, []proof.Fault{proof.KeyUnknown}},
		"no key id":              {pack(must(cose.Sign1(s.key, cose.Header{Alg: cose.ES256}, must(cbor.Marshal(payload(dose()))), nil))), now, s, []proof.Fault{proof.KeyUnknown}},
		"two keys under one id":  {text, now, signerOf{nil, []proof.Key{other.keys[0], s.keys[0]}}, nil},
		"two, the good one ends": {text, now, signerOf{nil, []proof.Key{with(func(k *proof.Key) { k.Withdrawn = true }).keys[0], s.keys[0]}}, nil},
		"of another country":     {text, now, with(func(k *proof.Key) { k.Country = "DEU" }), []proof.Fault{proof.KeyCountry}},
		"of no country":          {text, now, with(func(k *proof.Key) { k.Country = "" }), nil},
		"for tests alone":        {text, now, with(func(k *proof.Key) { k.Usage = proof.UsageTest }), []proof.Fault{proof.KeyUsage}},
		"for both":               {text, now, with(func(k *proof.Key) { k.Usage = proof.UsageTest | proof.UsageVaccination }), nil},
		"key ran out":            {text, now, with(func(k *proof.Key) { k.NotAfter = now.Add(-time.Second) }), []proof.Fault{proof.KeyExpired}},
		"key of tomorrow":        {text, now, with(func(k *proof.Key) { k.NotBefore = now.Add(time.Second) }), []proof.Fault{proof.KeyEarly}},
		"key withdrawn":          {text, now, with(func(k *proof.Key) { k.Withdrawn = true }), []proof.Fault{proof.KeyRevoked}},
		"all at once": {text, now.Add(time.Hour), with(func(k *proof.Key) {
			k.Country, k.Usage, k.NotAfter = "DEU", proof.UsageRecovery, now
		}), []proof.Fault{proof.KeyCountry, proof.KeyUsage, proof.KeyExpired, proof.Expired}},
		"no list":      {text, now, trust.NewStore(trust.Limits{}), []proof.Fault{proof.ListMissing}},
		"no prefix":    {text[4:], now, s, []proof.Fault{proof.NotProof}},
		"HC2":          {"HC2:" + text[4:], now, s, []proof.Fault{proof.NotProof}},
		"nothing":      {"", now, s, []proof.Fault{proof.NotProof}},
		"prefix alone": {Prefix, now, s, []proof.Fault{proof.Unreadable}},
	} {
		r := Verify(c.text, c.at, c.keys, nil)
		if !slices.Equal(r.Faults, c.want) || r.Genuine() != (c.want == nil) {
			t.Errorf("%s: %v, genuine %v, want %v", name, r.Faults, r.Genuine(), c.want)
		}
		if r.Genuine() && (r.Claims.Assurance != proof.Signed || !slices.Contains(r.Notes, proof.RevocationMissing)) || !r.Genuine() && r.Claims != nil && r.Claims.Assurance != proof.Claimed {
			t.Errorf("%s: assurance %v, notes %v", name, r.Claims.Assurance, r.Notes)
		}
	}
}

// TestClaims: what is read of a certificate, as it is written and no more exactly.
func TestClaims(t *testing.T) {
	s := newSigner(t)
	r := Verify(pack(s.sign(payload(dose()))), now, s, nil)
	c := r.Claims
	want := proof.Event{Kind: proof.Vaccination, Disease: proof.COVID19, DiseaseCode: proof.Code{System: proof.SNOMED, Value: "840539006"}, On: must(proof.ParseDate("2026-01-05")),
		Product: proof.Code{System: proof.EUReg, Value: "EU/1/20/1528"}, Type: proof.Code{System: proof.SNOMED, Value: "1119349007"}, Manufacturer: proof.Code{System: proof.EUOrg, Value: "ORG-100030215"},
		Dose: 2, Of: 2, Country: "AUT", Issuer: "Ministry", ID: "URN:UVCI:01:AT:1#2"}
	if len(c.Events) != 1 || c.Events[0] != want {
		t.Errorf("the dose is read as something else: %+v", []any{c.Events[0].On, c.Events[0].Dose, c.Events[0].Country})
	}
	if c.Holder != (proof.Holder{Family: "Åberg", Given: "Eva", FamilyICAO: "AABERG", GivenICAO: "EVA", Birth: identity.PartialDate{Year: 1990, Month: 2, Day: 3}}) || c.Format != proof.DCC ||
		c.Country != "AUT" || c.Issuer != "AT" || c.ID != want.ID || c.Version != "1.3.0" || !c.Until.Equal(now.Add(100*time.Second)) || !c.IssuedAt.Equal(now.Add(-100*time.Second)) {
		t.Error("the claims are read as something else")
	}
	if string(r.KeyID) != string(keyID) || r.Key.Country != "AUT" || len(r.Hashes) != 3 ||
		r.Hashes[1] != proof.NewHash(proof.HashUVCI, []byte(want.ID)) || r.Hashes[2] != proof.NewHash(proof.HashCountryUCI, []byte("AT"+want.ID)) {
		t.Errorf("key %x, hashes %v", r.KeyID, r.Hashes)
	}
	for text, want := range map[string]identity.PartialDate{"": {}, "1990": {Year: 1990}, "1990-02": {Year: 1990, Month: 2}, "1990-00": {Year: 1990}, "1990-00-00": {Year: 1990}, "1990-02-00": {Year: 1990, Month: 2},
		"1990-XX-XX": {Year: 1990}, "1990-02-03T00:00:00": {Year: 1990, Month: 2, Day: 3}, "03.02.1990": {}, "1990-13": {}} {
		p := payload(dose())
		p[7].(m)[1].(m)[3] = text
		r := Verify(pack(s.sign(p)), now, s, nil)
		if odd := want == (identity.PartialDate{}) && text != ""; r.Claims.Holder.Birth != want || !r.Genuine() || slices.Contains(r.Notes, proof.DateUnclear) != odd {
			t.Errorf("born %q: %v, %v", text, r.Claims.Holder.Birth, r.Notes)
		}
	}
}

// TestAsIssued: what real certificates hold that no specification says, and what is not
// to be read although it could be.
func TestAsIssued(t *testing.T) {
	s := newSigner(t)
	at, until := now.Unix()-100, now.Unix()+100
	dcc := payload(dose())[7]
	indefinite := func(v any) []byte { // the outer map and one array without lengths
		b := must(cbor.Marshal(v))
		return append(append([]byte{0xbf}, b[1:]...), 0xff)
	}
	for name, c := range map[string]struct {
		payload any
		want    []proof.Fault
	}{
		"floats for times":          {m{1, "AT", 6, float64(at), 4, float64(until), -260, dcc}, nil},
		"small floats for doses":    {payload(m{"tg", "840539006", "dn", float32(1), "sd", 2.0}), nil},
		"half a dose":               {payload(m{"tg", "840539006", "dn", 1.5, "sd", 2}), []proof.Fault{proof.Content}},
		"a dose less than none":     {payload(m{"tg", "840539006", "dn", -1}), []proof.Fault{proof.Content}},
		"doses as texts":            {payload(m{"tg", "840539006", "dn", "1", "sd", "2"}), nil},
		"ends within this second":   {m{1, "AT", 6, at, 4, float64(now.Unix()) + 0.5, -260, dcc}, nil},
		"ended in the last second":  {m{1, "AT", 6, at, 4, float64(now.Unix()) - 0.5, -260, dcc}, []proof.Fault{proof.Expired}},
		"begins within this second": {m{1, "AT", 6, float64(now.Unix()) + 0.5, 4, until, -260, dcc}, []proof.Fault{proof.Early}},
		"not before":                {m{1, "AT", 6, at, 5, now.Unix() + 1, 4, until, -260, dcc}, []proof.Fault{proof.Early}},
		"a date for a time":         {m{1, "AT", 6, cbor.Tag{Number: 0, Content: "2026-03-01T08:00:00Z"}, 4, cbor.Tag{Number: 0, Content: "2026-03-01T08:59:00Z"}, -260, dcc}, []proof.Fault{proof.Expired}},
		"tag 1":                     {m{1, "AT", 6, cbor.Tag{Number: 1, Content: at}, 4, cbor.Tag{Number: 1, Content: until}, -260, dcc}, nil},
		"never ends":                {m{1, "AT", 6, at, -260, dcc}, []proof.Fault{proof.Content}},
		"ends at null":              {m{1, "AT", 6, at, 4, nil, -260, dcc}, []proof.Fault{proof.Content}},
		"no time of issue":          {m{1, "AT", 4, until, -260, dcc}, nil},
		"infinite":                  {m{1, "AT", 6, at, 4, math.Inf(1), -260, dcc}, []proof.Fault{proof.Unreadable}},
		"not a number":              {m{1, "AT", 6, math.NaN(), 4, until, -260, dcc}, []proof.Fault{proof.Unreadable}},
		"milliseconds":              {m{1, "AT", 6, at, 4, until * 1000, -260, dcc}, []proof.Fault{proof.Unreadable}},
		"before 1970":               {m{1, "AT", 6, at, 4, -5, -260, dcc}, []proof.Fault{proof.Unreadable}},
		"no issuer":                 {m{6, at, 4, until, -260, dcc}, nil},
		"an issuer of letters":      {m{1, "CH BAG", 6, at, 4, until, -260, dcc}, nil},
		"another state's":           {m{1, "DE", 6, at, 4, until, -260, dcc}, []proof.Fault{proof.KeyCountry}},
		"dates with tag 0":          {payload(dose("x", 1, "dr", cbor.Tag{Number: 0, Content: "2026-01-05"})), nil},
		"nulls beside":              {payload(dose("nm", nil), "t", nil, "r", nil), nil},
		"empty beside":              {payload(dose(), "t", []any{}, "r", []any{}), nil},
		"any version":               {m{1, "AT", 6, at, 4, until, -260, m{1, m{"ver", "9.9", "v", []any{dose()}}}}, nil},
		"no version, no name":       {m{1, "AT", 6, at, 4, until, -260, m{1, m{"v", []any{dose()}}}}, nil},
		"version as a number":       {m{1, "AT", 6, at, 4, until, -260, m{1, m{"ver", 1.3, "nam", nil, "v", []any{dose()}}}}, nil},
		"one event and no array":    {m{1, "AT", 6, at, 4, until, -260, m{1, m{"v", dose()}}}, nil},
		"claims beside":             {m{1, "AT", 2, "x", 7, []byte{1}, "own", m{"a", []any{1.5, true}}, 6, at, 4, until, -260, dcc}, nil},
		"no lengths":                {indefinite(payload(dose())), nil},
		"no event":                  {m{1, "AT", 6, at, 4, until, -260, m{1, m{"v", []any{}}}}, []proof.Fault{proof.Content}},
		"no claim of health":        {m{1, "AT", 6, at, 4, until}, []proof.Fault{proof.Unsupported}},
		"another sub-claim":         {m{1, "AT", 6, at, 4, until, -260, m{2, m{}}}, []proof.Fault{proof.Unsupported}},
		"the sub-claim is bytes":    {m{1, "AT", 6, at, 4, until, -260, m{1, []byte{0xa0}}}, []proof.Fault{proof.Unreadable}},
		"not a map":                 {[]any{1, 2}, []proof.Fault{proof.Unsupported}},
		"a claim twice":             {m{1, "AT", 6, at, 4, until, 4, until + 9, -260, dcc}, []proof.Fault{proof.Unreadable}},
		"a field twice":             {payload(dose("dt", "2026-02-05")), []proof.Fault{proof.Unreadable}},
		"twice in what is not read": {m{1, "AT", 6, at, 4, until, -260, dcc, "x", m{"a", 1, "a", 2}}, []proof.Fault{proof.Unreadable}},
		"twice, in two lengths":     {append([]byte{0xa2, 0x01, 0x00, 0x18, 0x01}, 0x00), []proof.Fault{proof.Unreadable}},
		"a key of bytes":            {m{1, "AT", 6, at, 4, until, -260, dcc, []byte{1}, 2}, []proof.Fault{proof.Unreadable}},
		"bytes after the payload":   {append(must(cbor.Marshal(payload(dose()))), 0), []proof.Fault{proof.Unreadable}},
		"cut":                       {must(cbor.Marshal(payload(dose())))[:200], []proof.Fault{proof.Unreadable}},
		"many pairs":                {m{1, "AT", 6, at, 4, until, -260, dcc, "x", pairs(200)}, []proof.Fault{proof.Unreadable}},
		"many events":               {m{1, "AT", 6, at, 4, until, -260, m{1, m{"v", slices.Repeat([]any{dose()}, 17)}}}, []proof.Fault{proof.Unreadable}},
		"deep":                      {append(append([]byte{0xa1, 0x05}, bytes.Repeat([]byte{0x81}, 30)...), 0), []proof.Fault{proof.Unreadable}},
		"deep in tags":              {append(append([]byte{0xa1, 0x05}, bytes.Repeat([]byte{0xc1}, 5000)...), 0), []proof.Fault{proof.Unreadable}},
	} {
		r := Verify(pack(s.sign(c.payload)), now, s, nil)
		if !slices.Equal(r.Faults, c.want) || r.Genuine() != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, r.Faults, c.want)
		}
		if c.want == nil && (len(r.Claims.Events) != 1 || r.Claims.Country != "AUT") {
			t.Errorf("%s: %d events, of %q", name, len(r.Claims.Events), r.Claims.Country)
		}
	}
}

func pairs(n int) (v m) {
	for i := range n {
		v = append(v, i, i)
	}
	return v
}

// TestMessage: what may and may not stand around the payload.
func TestMessage(t *testing.T) {
	s := newSigner(t)
	p := must(cbor.Marshal(payload(dose())))
	msg := s.sign(p)
	sig := msg[len(msg)-64:]
	prot := must(cbor.Marshal(m{1, -7, 4, keyID}))
	none := []byte{}
	sign := func(protected []byte) []byte {
		d := must(cbor.Marshal([]any{"Signature1", protected, none, p}))
		h := crypto.SHA256.New()
		h.Write(d)
		return raw(must(s.key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)))
	}
	one := func(protected []byte, unprotected any, sig []byte) []byte {
		return must(cbor.Marshal(cbor.Tag{Number: 18, Content: []any{protected, unprotected, p, sig}}))
	}
	n := elliptic.P256().Params().N
	twin := append(append([]byte{}, sig[:32]...), new(big.Int).Sub(n, new(big.Int).SetBytes(sig[32:])).FillBytes(make([]byte, 32))...)
	alg := must(cbor.Marshal(m{1, -7}))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	ps := must(cbor.Marshal(m{1, -37, 4, keyID}))
	h := crypto.SHA256.New()
	h.Write(must(cbor.Marshal([]any{"Signature1", ps, []byte{}, p})))
	psSig := must(rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, h.Sum(nil), &rsa.PSSOptions{SaltLength: 32}))
	withRSA := signerOf{keys: []proof.Key{{Public: &rsaKey.PublicKey, Country: "AUT"}}}
	for name, c := range map[string]struct {
		msg  []byte
		keys proof.Keys
		want []proof.Fault
	}{
		"tagged":                      {msg, s, nil},
		"untagged":                    {msg[1:], s, nil},
		"tag 61 around":               {append([]byte{0xd8, 61}, msg...), s, nil},
		"tag 98":                      {append([]byte{0xd8, 98}, msg[1:]...), s, []proof.Fault{proof.Unreadable}},
		"the signature's twin":        {one(prot, m{}, twin), s, nil},
		"a byte after":                {append(slices.Clone(msg), 0), s, []proof.Fault{proof.Unreadable}},
		"without lengths":             {append(append([]byte{0xd2, 0x9f}, msg[2:]...), 0xff), s, nil},
		"without lengths, five":       {append(append([]byte{0xd2, 0x9f}, msg[2:]...), 0x00, 0xff), s, []proof.Fault{proof.Unreadable}},
		"all unprotected":             {one(none, m{1, -7, 4, keyID}, sign(none)), s, nil},
		"an empty map, as sent":       {one([]byte{0xa0}, m{1, -7, 4, keyID}, sign([]byte{0xa0})), s, nil},
		"an empty map, as none":       {one([]byte{0xa0}, m{1, -7, 4, keyID}, sign(none)), s, nil},
		"key id unprotected":          {one(alg, m{4, keyID}, sign(alg)), s, nil},
		"protected wins":              {one(prot, m{4, []byte("other678"), 1, -37}, sign(prot)), s, nil},
		"protected wins, wrongly":     {one(must(cbor.Marshal(m{1, -7, 4, []byte("other678")})), m{4, keyID}, sig), s, []proof.Fault{proof.KeyUnknown}},
		"key id as a text":            {one(alg, m{4, "MTIzNDU2Nzg="}, sign(alg)), s, nil},
		"key id as a text of its own": {one(alg, m{4, "12345678!"}, sign(alg)), s, []proof.Fault{proof.KeyUnknown}},
		"key id null":                 {one(alg, m{4, nil}, sign(alg)), s, []proof.Fault{proof.Unreadable}},
		"headers in another order":    {one(must(cbor.Marshal(m{4, keyID, 1, -7})), m{}, sign(must(cbor.Marshal(m{4, keyID, 1, -7})))), s, nil},
		"a header twice":              {one(must(cbor.Marshal(m{1, -7, 1, -7, 4, keyID})), m{}, sig), s, []proof.Fault{proof.Unreadable}},
		"critical":                    {one(must(cbor.Marshal(m{1, -7, 2, []any{99}, 4, keyID})), m{}, sig), s, []proof.Fault{proof.Unreadable}},
		"no algorithm":                {one(none, m{4, keyID}, sign(none)), s, []proof.Fault{proof.Algorithm}},
		"algorithm none":              {one(must(cbor.Marshal(m{1, 0, 4, keyID})), m{}, none), s, []proof.Fault{proof.Algorithm}},
		"an HMAC by the public key":   {one(must(cbor.Marshal(m{1, 5, 4, keyID})), m{}, sig), s, []proof.Fault{proof.Algorithm}},
		"no signature":                {one(prot, m{}, none), s, []proof.Fault{proof.Forged}},
		"of zeros":                    {one(prot, m{}, make([]byte, 64)), s, []proof.Fault{proof.Forged}},
		"detached":                    {must(cbor.Marshal(cbor.Tag{Number: 18, Content: []any{prot, m{}, nil, sig}})), s, []proof.Fault{proof.Unreadable}},
		"PS256":                       {one(ps, m{}, psSig), withRSA, nil},
		"PS256 by a key of ES256":     {one(ps, m{}, psSig), s, []proof.Fault{proof.Algorithm}},
		"ES256 by a key of PS256":     {msg, withRSA, []proof.Fault{proof.Algorithm}},
		"PS256 of another":            {one(ps, m{}, slices.Concat(psSig[:255], []byte{psSig[255] ^ 1})), withRSA, []proof.Fault{proof.Forged}},
	} {
		r := Verify(pack(c.msg), now, c.keys, nil)
		if !slices.Equal(r.Faults, c.want) || r.Genuine() != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, r.Faults, c.want)
		}
	}
	a, b := Verify(pack(msg), now, s, nil), Verify(pack(one(prot, m{}, twin)), now, s, nil)
	if a.Hashes[0] != b.Hashes[0] || a.Hashes[0] != proof.NewHash(proof.HashSignature, sig[:32]) {
		t.Error("a signature and its twin have two hashes")
	}
	if c := Verify(pack(one(ps, m{}, psSig)), now, withRSA, nil); c.Hashes[0] != proof.NewHash(proof.HashSignature, psSig) {
		t.Error("a signature of RSA is not hashed whole")
	}
}

// raw returns r and s of a DER signature.
func raw(der []byte) []byte {
	out := make([]byte, 64)
	i := 3
	for k := range 2 {
		n := int(der[i])
		v := bytes.TrimLeft(der[i+1:i+1+n], "\x00")
		copy(out[32*k+32-len(v):], v)
		i += n + 2
	}
	return out
}

// TestStream: what may and may not stand around the message.
func TestStream(t *testing.T) {
	s := newSigner(t)
	msg := s.sign(payload(dose()))
	z := must(cose.DecodeBase45(pack(msg)[4:]))
	text := func(b []byte) string { return Prefix + cose.EncodeBase45(b) }
	sum := slices.Clone(z)
	sum[len(sum)-1] ^= 1
	dict := slices.Clone(z)
	dict[1] = 0xbb // the same level, with a dictionary
	for name, c := range map[string]struct {
		text string
		want proof.Fault
	}{
		"not packed":             {text(msg), proof.Unreadable},
		"a byte after":           {text(append(slices.Clone(z), 0)), proof.Unreadable},
		"two streams":            {text(slices.Concat(z, z)), proof.Unreadable},
		"cut":                    {text(z[:len(z)-1]), proof.Unreadable},
		"the sum is another's":   {text(sum), proof.Unreadable},
		"a dictionary":           {text(dict), proof.Unreadable},
		"the sum alone":          {text(z[:6]), proof.Unreadable},
		"overflow":               {Prefix + ":::", proof.Unreadable},
		"overflow within":        {pack(msg) + "GGW", proof.Unreadable},
		"small letters":          {Prefix + strings.ToLower(pack(msg)[4:]), proof.Unreadable},
		"no length of Base45":    {pack(msg) + "000A"[:1+(4-len(pack(msg))%3)%3], proof.Unreadable},
		"too much Base45":        {Prefix + strings.Repeat("000", MaxText), proof.TooLarge},
		"unfolds to a megabyte":  {pack(make([]byte, 1<<20)), proof.TooLarge},
		"unfolds to one too far": {pack(make([]byte, cose.MaxSize+1)), proof.TooLarge},
		"the most it may unfold": {pack(make([]byte, cose.MaxSize)), proof.Unreadable},
		"another letter":         {Prefix + "ÄÖÜ", proof.Unreadable},
	} {
		if r := Verify(c.text, now, s, nil); len(r.Faults) != 1 || r.Faults[0] != c.want {
			t.Errorf("%s: %v, want %v", name, r.Faults, c.want)
		}
	}
	// The most exact fit beside what is refused: every size of the inflater's buffer.
	for _, n := range []int{1, firstOut - 1, firstOut, firstOut + 1, 2 * firstOut, cose.MaxSize - 1, cose.MaxSize} {
		if got, fault := Unpack(pack(bytes.Repeat([]byte{7}, n))); fault != "" || len(got) != n {
			t.Errorf("%d bytes: %d, %q", n, len(got), fault)
		}
	}
}

// TestBounded: no certificate, whatever it holds, makes more than a megabyte to be
// allocated, with nothing kept from one before.
func TestBounded(t *testing.T) {
	s := newSigner(t)
	nested := must(cbor.Marshal(m{-260, m{1, m{"v", slices.Repeat([]any{dose()}, 16)}}}))
	for name, text := range map[string]string{
		"a bomb":        pack(make([]byte, 4<<20)),
		"the most text": Prefix + strings.Repeat("000", (MaxText-4)/3),
		"many items":    pack(s.sign(bytes.Repeat([]byte{0x80}, 60000))),
		"many keys":     pack(s.sign(append([]byte{0xb9, 0x40, 0x00}, bytes.Repeat([]byte{0x01}, 60000)...))),
		"long array":    pack(s.sign(append([]byte{0xa1, 0x05, 0x9a, 0, 0, 0xf0, 0}, make([]byte, 0xf000)...))),
		"many pieces":   pack(s.sign(append(append([]byte{0xa1, 0x01, 0x7f}, bytes.Repeat([]byte{0x60}, 60000)...), 0xff))),
		"many events":   pack(s.sign(nested)),
		"good":          pack(s.sign(payload(dose()))),
	} {
		pool.New = func() any { return new(scratch) }
		runtime.GC()
		runtime.GC() // the pool is empty after two
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := Verify(text, now, s, nil)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated, %v", name, got, r.Faults)
		}
	}
}

// TestWiped: the scratch that is used again holds nothing of the certificate before.
func TestWiped(t *testing.T) {
	s := newSigner(t)
	text := pack(s.sign(payload(dose("nm", strings.Repeat("canary", 9)))))
	var sc scratch
	b, fault := sc.unpack(text)
	var d Document
	if fault != "" || d.parse(b, &sc.parser) != "" {
		t.Fatal(fault)
	}
	held := func() bool {
		dump := fmt.Sprintf("%s|%s|%v|%s", sc.packed[:cap(sc.packed)], sc.out[:cap(sc.out)], sc.seen[:cap(sc.seen)], sc.s)
		return strings.Contains(dump, "canary") || strings.Contains(dump, "tg")
	}
	if !held() {
		t.Fatal("the test looks in the wrong place")
	}
	sc.release()
	if held() {
		t.Error("the scratch holds the certificate")
	}
}

// TestIssue: what the health desk issues is read again as it was meant, and what it could
// not mean is not issued.
func TestIssue(t *testing.T) {
	s := newSigner(t)
	claims := func() *proof.Claims {
		return &proof.Claims{Issuer: "AT", IssuedAt: now, Until: now.Add(72 * time.Hour), ID: "URN:UVCI:01:AT:7",
			Holder: proof.Holder{Family: "رضایی", FamilyICAO: "REZAEI", GivenICAO: "SARA", Birth: identity.PartialDate{Year: 1990, Month: 4}},
			Events: []proof.Event{{Kind: proof.Test, Disease: proof.Cholera, On: must(proof.ParseDate("2026-03-01T12:20:00+03:30")), Country: "AUT", Issuer: "Post A", TestKind: proof.NAAT, Result: proof.Positive, Place: "Gate"}}}
	}
	text := must(Issue(s.key, keyID, claims()))
	r := Verify(text, now, s, nil)
	e := r.Claims.Events[0]
	at, _ := e.On.First(time.UTC)
	if !r.Genuine() || e.Kind != proof.Test || e.Disease != proof.Cholera || e.TestKind != proof.NAAT || e.Result != proof.Positive || e.Place != "Gate" || e.Country != "AUT" || r.Claims.Holder != claims().Holder ||
		!at.Equal(now.Add(-10*time.Minute)) || r.Claims.ID != "URN:UVCI:01:AT:7" || !r.Claims.Until.Equal(now.Add(72*time.Hour)) {
		t.Errorf("%v: not what was issued", r.Faults)
	}
	if len(text) > 700 {
		t.Errorf("%d characters", len(text))
	}
	var payload struct {
		Nam struct{ Fnt, Gnt string }
		T   []struct{ CI, CO string }
		V   []any
	}
	if b, fault := PayloadJSON(text); fault != "" || json.Unmarshal(b, &payload) != nil || payload.Nam.Fnt != "REZAEI" || len(payload.T) != 1 ||
		payload.T[0].CI != "URN:UVCI:01:AT:7" || payload.T[0].CO != "AT" || payload.V != nil {
		t.Errorf("%s: its payload in JSON: %s", fault, b)
	}
	if _, fault := PayloadJSON(text[:40]); fault == "" {
		t.Error("half a certificate has a payload")
	}
	if again := must(Issue(s.key, keyID, claims())); again != text {
		t.Error("issued twice, two certificates")
	}
	given := claims()
	given.Events[0] = proof.Event{Kind: proof.Vaccination, Disease: proof.Polio, On: must(proof.ParseDate("2026-03-01")), Country: "AUT", Issuer: "Post A", Dose: 1, Of: 1, Product: proof.Code{System: proof.Text, Value: "OPV"}}
	if r := Verify(must(Issue(s.key, keyID, given)), now, s, nil); !r.Genuine() || r.Claims.Events[0].Dose != 1 || r.Claims.Events[0].Disease != proof.Polio || r.Claims.Events[0].On.Precision != proof.Day {
		t.Errorf("a dose: %v", r.Faults)
	}
	for field, change := range map[string]func(*proof.Claims){
		"issuer":      func(c *proof.Claims) { c.Issuer = "AUT" },
		"issuedAt":    func(c *proof.Claims) { c.IssuedAt = time.Time{} },
		"until":       func(c *proof.Claims) { c.Until = c.IssuedAt },
		"name":        func(c *proof.Claims) { c.Holder = proof.Holder{Family: "رضایی"} },
		"events":      func(c *proof.Claims) { c.Events = append(c.Events, c.Events[0]) },
		"id":          func(c *proof.Claims) { c.ID = "" },
		"disease":     func(c *proof.Claims) { c.Events[0].Disease = "" },
		"country":     func(c *proof.Claims) { c.Events[0].Country = "" },
		"eventIssuer": func(c *proof.Claims) { c.Events[0].Issuer = "" },
		"on":          func(c *proof.Claims) { c.Events[0].On = proof.Date{} },
		"test":        func(c *proof.Claims) { c.Events[0].On = must(proof.ParseDate("2026-03-01")) },
		"kind":        func(c *proof.Claims) { c.Events[0].Kind = proof.Recovery },
		"dose":        func(c *proof.Claims) { c.Events[0].Kind = proof.Vaccination },
	} {
		c := claims()
		change(c)
		if _, err := Issue(s.key, keyID, c); problem.FieldOf(err) != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := Issue(s.key, keyID[:4], claims()); problem.FieldOf(err) != "key" {
		t.Errorf("a short key id: %v", err)
	}
}

// TestRevokedByCountry: a state revokes by its two letters and the number, whatever its
// certificates write for it.
func TestRevokedByCountry(t *testing.T) {
	s := newSigner(t)
	revoked := func(country string) proof.Revocation {
		hash := proof.NewHash(proof.HashCountryUCI, []byte(country+"URN:UVCI:01:AT:1#2"))
		return trust.NewRevoked(nil, trust.NewEntries([]proof.Hash{hash}).Has, time.Time{}, trust.Limits{})
	}
	for name, c := range map[string]struct {
		issuer       any
		key, country string
		want         bool
	}{
		"as written":            {"FR", "FRA", "FR", true},
		"small":                 {"fr", "FRA", "FR", true},
		"small, as written":     {"fr", "FRA", "fr", true},
		"small, an unbound key": {"fr", "", "FR", true},
		"three letters":         {"FRA", "FRA", "FR", true},
		"an agency":             {"CNAM", "FRA", "FR", true},
		"an agency, as written": {"CNAM", "FRA", "CNAM", true},
		"an office":             {"CH BAG", "CHE", "CH", true},
		"null":                  {nil, "FRA", "FR", true},
		"beside ISO 3166":       {"KS", "RKS", "XK", true},
		"another country":       {"CNAM", "FRA", "CH", false},
		"no country":            {"CNAM", "", "FR", false},
	} {
		p := payload(dose())
		p[1] = c.issuer
		s.keys[0].Country = c.key
		text := pack(s.sign(p))
		if r := Verify(text, now, s, nil); !r.Genuine() {
			t.Errorf("%s: %v", name, r.Faults)
		}
		r := Verify(text, now, s, revoked(c.country))
		if slices.Contains(r.Faults, proof.Revoked) != c.want || r.Genuine() == c.want {
			t.Errorf("%s: revoked as %s%v, want %v", name, c.country, r.Faults, c.want)
		}
	}
	// Of one that writes its two letters there is one hash of country and number.
	s.keys[0].Country = "AUT"
	if r := Verify(pack(s.sign(payload(dose()))), now, s, nil); len(r.Hashes) != 3 {
		t.Errorf("%d hashes", len(r.Hashes))
	}
}

// TestDVC reads the WHO's certificate, published and in its other forms.
func TestDVC(t *testing.T) {
	s := newSigner(t)
	s.keys[0].Country = "XXA"
	short := func(v any) []byte {
		return s.sign(m{1, "XXA", 6, now.Unix(), -260, m{-6, m{"n", "Sara Rezaei", "dob", "1990-04-02", "s", "female", "nid", "A1", "v", v}}})
	}
	r := Verify(pack(short(m{"vp", "YellowFeverProductd2c75a15ed309658b3968519ddb31690", "dt", "2025-01-02", "bo", "L1", "vls", "2025-01-12", "vle", "2035-01", "is", "Centre"})), now, s, nil)
	e := r.Claims.Events[0]
	if !r.Genuine() || r.Format != proof.DVC || e.Disease != proof.YellowFever || e.Product.System != proof.PQ || e.Lot != "L1" || e.From.String() != "2025-01-12" || e.Until.String() != "2035-01" || e.Issuer != "Centre" ||
		r.Claims.Holder.Name() != "Sara Rezaei" || r.Claims.Holder.Sex != "F" || r.Claims.Holder.Document != "A1" {
		t.Errorf("the short form: %v, %v", r.Faults, r.Notes)
	}
	r = Verify(pack(short([]any{m{"vp", "MeaslesMumpsandRubellaProductd2c7", "dt", "2025-01-02", "dn", "secondDose"}, m{"tg", "1C81", "vp", "XM0N50", "dn", 3, "cn", "Dr A"}, m{"tg", "A95", "dn", "B"}, m{"vp", "871772009"}})), now, s, nil)
	var got []string
	for _, e := range r.Claims.Events {
		got = append(got, fmt.Sprintf("%s %d %s", e.Disease, e.Dose, e.Issuer))
	}
	if want := []string{"measles 2 ", "mumps 2 ", "rubella 2 ", "polio 3 Dr A", "yellowfever 0 ", " 0 "}; !slices.Equal(got, want) || !r.Genuine() || !slices.Contains(r.Notes, proof.UnknownDisease) {
		t.Errorf("got %q, %v", got, r.Notes)
	}
	b, err := os.ReadFile(vectors + "icvp/DVCTest3QR.txt")
	if err != nil {
		t.Skipf("the published one is not there: %v", err)
	}
	l := must(trust.Read("did-dev-v1.json", must(os.ReadFile(vectors+"gdhcn/did-dev-v1.json")), time.Time{}))
	r = Verify(strings.TrimSpace(string(b)), time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC), trust.NewStore(trust.Limits{}, l), nil)
	e = r.Claims.Events[0]
	if !r.Genuine() || r.Claims.Country != "XCL" || e.Disease != proof.COVID19 || e.Dose != 2 || e.On.String() != "2023-07-04" || e.Lot != "d23456" || r.Claims.Holder.Sex != "F" {
		t.Errorf("the published one: %v", r.Faults)
	}
}

// FuzzVerify: no text makes anything but an answer, none is genuine that a key in no list
// signed, and what can be read as a document is the same when it is read again.
func FuzzVerify(f *testing.F) {
	s := newSigner(f)
	f.Add(pack(s.sign(payload(dose())))[4:])
	if _, err := os.Stat(vectors); err == nil {
		eachDGC(f, func(_ string, d dgc) { f.Add(strings.TrimPrefix(d.PREFIX, Prefix)) })
	}
	other := newSigner(f)
	f.Fuzz(func(t *testing.T, text string) {
		if r := Verify(Prefix+text, now, anyKey{other}, nil); r.Genuine() || len(r.Faults) == 0 {
			t.Fatalf("genuine: %q", text)
		}
	})
}

// anyKey answers every id with its key.
type anyKey struct{ signerOf }

// Keys implements proof.Keys.
func (a anyKey) Keys(proof.Query) ([]proof.Key, proof.Age) { return a.keys, proof.Fresh }

// FuzzInflate holds the inflater against the standard library's: the same bytes, the same
// end, and of what is too large the one fault.
func FuzzInflate(f *testing.F) {
	for _, level := range []int{0, 1, 6, 9, -2} {
		for _, text := range []string{"", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", strings.Repeat("HC1:abcabdabe", 50), strings.Repeat("x", 70000)} {
			var b bytes.Buffer
			z := must(zlib.NewWriterLevel(&b, level))
			z.Write([]byte(text))
			z.Close()
			f.Add(b.Bytes())
		}
	}
	// Copies of what stands before the first byte, which nobody has sent.
	for _, before := range []string{"aaaaaaaa", "abcdefghij"} {
		var b bytes.Buffer
		b.WriteString("\x78\x9c")
		z := must(flate.NewWriterDict(&b, 9, []byte(before)))
		text := before + before + strings.Repeat("HC1:abcabdabe", 50)
		z.Write([]byte(text))
		z.Close()
		f.Add(binary.BigEndian.AppendUint32(b.Bytes(), adler32.Checksum([]byte(text))))
	}
	for _, room := range []int{1, 30} { // one byte before the first, with little to read behind it and with plenty
		f.Add([]byte("\x78\x9c\x03\x02" + strings.Repeat("\x00", room) + "\x00\x00\x00\x01"))
	}
	f.Add([]byte("\x78\x9c\x05\xe0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x00\x00\x00\x00"))
	if _, err := os.Stat(vectors); err == nil {
		eachDGC(f, func(_ string, d dgc) {
			if b, err := cose.DecodeBase45(strings.TrimPrefix(d.PREFIX, Prefix)); err == nil {
				f.Add(b)
			}
		})
	}
	var in inflater
	f.Fuzz(func(t *testing.T, b []byte) {
		got, fault := in.inflate(b)
		r := bytes.NewReader(b)
		var want []byte
		z, err := zlib.NewReader(r)
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(z, cose.MaxSize+1))
		}
		switch {
		case err == nil && len(want) > cose.MaxSize:
			if fault != proof.TooLarge {
				t.Fatalf("too large, and %q", fault)
			}
		case err != nil || r.Len() > 0 || len(b) > 1 && b[1]&0x20 != 0:
			if fault == "" {
				t.Fatalf("unfolded to %d bytes: %v, %d left", len(got), err, r.Len())
			}
		case fault != "" || !bytes.Equal(got, want):
			t.Fatalf("%q, %d bytes for %d", fault, len(got), len(want))
		}
		in.wipe()
	})
}

// FuzzMessage begins behind Base45 and the stream, which random bytes seldom pass.
func FuzzMessage(f *testing.F) {
	s := newSigner(f)
	f.Add(s.sign(payload(dose())))
	f.Add(s.sign(m{-260, m{-6, m{"v", m{"tg", "1C81"}}}}))
	if _, err := os.Stat(vectors); err == nil {
		eachDGC(f, func(_ string, d dgc) {
			if b, fault := Unpack(d.PREFIX); fault == "" {
				f.Add(b)
			}
		})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, fault := ParseMessage(b); fault == "" {
			if r := d.Verify(now, anyKey{s}, nil); r.Genuine() && !r.Checked {
				t.Fatal("genuine and not checked")
			}
		}
	})
}

// FuzzPayload begins at what is signed.
func FuzzPayload(f *testing.F) {
	f.Add(must(cbor.Marshal(payload(dose()))))
	f.Add(must(cbor.Marshal(m{-260, m{-6, m{"v", m{"tg", "1C81", "vp", "PolioProductx"}}}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, again Document
		if d.payload(b, new(parser)) != again.payload(slices.Clone(b), new(parser)) || !slices.Equal(d.Claims.Events, again.Claims.Events) || d.Claims.Holder != again.Claims.Holder {
			t.Fatal("read twice, differently")
		}
		if len(d.Claims.Events) > maxEvents {
			t.Fatalf("%d events", len(d.Claims.Events))
		}
	})
}
