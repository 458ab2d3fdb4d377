// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package vdsnc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/jcs"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/trust"
)

var vectors = filepath.Join("..", "..", "..", "..", "shared", "vectors", "vdsnc")

func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, name))
	if _, gone := os.Stat(vectors); gone != nil {
		t.Skipf("no vectors at %s", vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// list trusts certificates that it names and those that they issued.
type list struct {
	certs   []*x509.Certificate
	country string
	usage   proof.Usage
	age     proof.Age
}

func (l list) Keys(q proof.Query) ([]proof.Key, proof.Age) {
	var ks []proof.Key
	cert, err := x509.ParseCertificate(q.Certificate)
	if err != nil || q.Format != proof.VDSNC {
		return nil, l.age
	}
	for _, c := range l.certs {
		if bytes.Equal(c.Raw, cert.Raw) || bytes.Equal(cert.RawIssuer, c.RawSubject) && c.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
			ks = append(ks, proof.Key{Public: cert.PublicKey, Country: l.country, Usage: l.usage, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter})
		}
	}
	return ks, l.age
}

// TestSpecimens verifies the two published seals. Their state is Utopia and their signer
// says that he is of another country, as specimens do.
func TestSpecimens(t *testing.T) {
	when := time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"single-vaccine.txt", "test.txt"} {
		text := vector(t, name)
		s, err := Parse(text)
		if err != nil || !s.SelfConsistent() || s.Irregular {
			t.Errorf("%s: %v, irregular %v", name, err, s != nil && s.Irregular)
			continue
		}
		trusted := list{certs: []*x509.Certificate{s.Certificate}, country: "FRA", age: proof.Fresh}
		if r := Verify(text, trusted, nil, when); !r.Genuine() || !slices.Equal(r.Notes, []proof.Fault{proof.CountryUnknown}) || r.Claims.Country != "FRA" {
			t.Errorf("%s: genuine %v, faults %v, notes %v", name, r.Genuine(), r.Faults, r.Notes)
		}
		if r := Verify(text, trusted, nil, at); r.Genuine() || r.Faults[0] != proof.KeyExpired {
			t.Errorf("%s: its signer ran out in 2026, faults %v", name, r.Faults)
		}
		if r := Verify(text, list{age: proof.Fresh}, nil, when); r.Genuine() || r.Faults[0] != proof.KeyUnknown || r.Checked {
			t.Errorf("%s: believed for the certificate that it brings, faults %v", name, r.Faults)
		}
		h := s.Claims.Holder
		if name == "test.txt" {
			e := s.Claims.Events[0]
			if h.Family != "Cook Gerald" || h.Document != "E1234567P" || s.Claims.ID != "U01932" || e.Kind != proof.Test || e.TestKind != proof.NAAT || e.Result != proof.Negative ||
				e.Country != "AUS" || e.On.String() != "2020-12-12T12:00:00+08:00" || e.ReportedOn.String() != "2021-02-11T14:00:00+08:00" || e.Place != "General Hospital" || e.Disease != proof.COVID19 {
				t.Errorf("%s: claims are others", name)
			}
			continue
		}
		e := s.Claims.Events[0]
		if h.Family != "Smith Bill" || h.Birth.Year != 1990 || h.Sex != "M" || h.Document != "A1234567Z" || s.Claims.ID != "U32870" || len(s.Claims.Events) != 1 ||
			e.Disease != proof.COVID19 || e.Type.Value != "XM68M6" || e.Product.Text != "Comirnaty" || e.Dose != 1 || e.On.String() != "2021-03-03" || e.NextOn.String() != "2021-03-24" ||
			e.Lot != "VC35679" || e.Place != "RIVM" || e.Country != "AUS" {
			t.Errorf("%s: claims are others", name)
		}
	}
}

var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A pki is an authority and a signer of ours.
type pki struct {
	authority, cert *x509.Certificate
	priv            *ecdsa.PrivateKey
	alg             string
}

func newPKI(t testing.TB, curve elliptic.Curve, alg string, change func(*x509.Certificate)) pki {
	t.Helper()
	root, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := pki{alg: alg}
	make := func(c, parent *x509.Certificate, pub *ecdsa.PublicKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, root)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	a := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"AU"}, CommonName: "CSCA"}, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte("authority")}
	p.authority = make(a, a, &root.PublicKey)
	if p.priv, err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: []string{"AU"}, CommonName: "Signer"}, NotBefore: at.AddDate(0, -1, 0), NotAfter: at.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidSeal()}, ExtraExtensions: []pkix.Extension{documents("NT", "NV")}}
	if change != nil {
		change(c)
	}
	p.cert = make(c, p.authority, &p.priv.PublicKey)
	return p
}

func documents(kinds ...string) pkix.Extension {
	b, err := asn1.Marshal(struct {
		Version int
		Types   []string `asn1:"set"`
	}{0, kinds})
	if err != nil {
		panic(err)
	}
	return pkix.Extension{Id: oidDocuments(), Value: b}
}

func enc(b []byte) string { return base64.URLEncoding.EncodeToString(b) }

// seal signs the canonical form of data and lays the seal out as it was given.
func (p pki) seal(t testing.TB, data string) []byte {
	t.Helper()
	d, err := jcs.Parse([]byte(data), limits)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := d.Root().AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := algorithmOf(p.alg)
	r, s, err := ecdsa.Sign(rand.Reader, p.priv, a.hash(canonical))
	if err != nil {
		t.Fatal(err)
	}
	half := (p.priv.Params().BitSize + 7) / 8
	sig := make([]byte, 2*half)
	r.FillBytes(sig[:half])
	s.FillBytes(sig[half:])
	return []byte(`{"data":` + data + `,"sig":{"alg":"` + p.alg + `","sigvl":"` + enc(sig) + `","cer":"` + enc(p.cert.Raw) + `"}}`)
}

func (p pki) trusted() list {
	return list{certs: []*x509.Certificate{p.authority}, country: "AUS", age: proof.Fresh}
}

const vaccination = `{"hdr":{"t":"icao.vacc","v":1,"is":"AUS"},"msg":{"uvci":"U1","pid":{"n":"DOE  JO ANN","dob":"1980-02","i":"N1","sex":"F"},` +
	`"ve":[{"des":"XM0N50","nam":"Opv","dis":"1C81","vd":[{"dvc":"2026-01-02","seq":1,"ctr":"AUS","adm":"Post 1","lot":"L1"},{"dvc":"2026-03-02","seq":"2","ctr":"AUS","adm":"Post 1","lot":"L2"}]}]}}`

const testing1 = `{"hdr":{"t":"icao.test","v":1,"is":"AUS"},"msg":{"utci":"T1","pid":{"n":"DOE  JO","dob":"1980-02-03","dt":"P","dn":"N1"},"sp":{"spn":"Lab","ctr":"AUS"},` +
	`"dat":{"sc":"2026-11-23T10:00:00+05:00","ri":"2026-11-23T12:00:00+05:00"},"tr":{"tc":"antigen","r":"positive"}}}`

func with(text string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("nothing to replace: " + pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func TestGenuine(t *testing.T) {
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		p := newPKI(t, curve, alg, nil)
		r := Verify(p.seal(t, vaccination), p.trusted(), nil, at)
		if !r.Genuine() || len(r.Notes) != 0 || r.Claims.Assurance != proof.Signed || !bytes.Equal(r.KeyID, []byte("authority")) {
			t.Errorf("%s: faults %v, notes %v, key %q", alg, r.Faults, r.Notes, r.KeyID)
			continue
		}
		c := r.Claims
		if c.Holder.Family != "DOE" || c.Holder.Given != "JO ANN" || c.Holder.Birth.Day != 0 || len(c.Events) != 2 || c.Events[1].Dose != 2 || c.Events[1].Lot != "L2" || c.Events[0].Disease != proof.Polio {
			t.Errorf("%s: claims are others", alg)
		}
	}
	p := newPKI(t, elliptic.P256(), "ES256", nil)
	r := Verify(p.seal(t, testing1), p.trusted(), nil, at)
	if e := r.Claims.Events[0]; !r.Genuine() || e.Result != proof.Positive || e.TestKind != proof.Antigen {
		t.Errorf("test: faults %v", r.Faults)
	}
	for result, want := range map[string]proof.TestResult{"Negative": proof.Negative, "inconclusive": proof.Inconclusive, "normal": proof.OtherResult, "neg": proof.OtherResult} {
		if r := Verify(p.seal(t, with(testing1, "positive", result)), p.trusted(), nil, at); !r.Genuine() || r.Claims.Events[0].Result != want {
			t.Errorf("%s: faults %v", result, r.Faults)
		}
	}
	// The certificate itself may be on the list, and the text laid out in any way.
	text := p.seal(t, vaccination)
	direct := list{certs: []*x509.Certificate{p.cert}, country: "AUS", age: proof.Fresh}
	for name, laid := range map[string]string{
		"as made":          string(text),
		"with spaces":      strings.NewReplacer(`":`, "\" :\n ", `,"`, " ,\t\"").Replace(string(text)),
		"members swapped":  with(string(text), `"t":"icao.vacc","v":1`, `"v":1,"t":"icao.vacc"`),
		"with escapes":     with(string(text), "JO ANN", `JO\u0020\u0041NN`),
		"a name escaped":   with(string(text), `"uvci"`, `"\u0075vci"`),
		"number otherwise": with(string(text), `"v":1`, `"v":10.0e-1`),
		"no padding":       strings.ReplaceAll(string(text), "=", ""),
		"spaces around":    "\n" + string(text) + "\r\n",
	} {
		if r := Verify([]byte(laid), direct, nil, at); !r.Genuine() {
			t.Errorf("%s: faults %v", name, r.Faults)
		}
		if !Known([]byte(laid)) {
			t.Errorf("%s: not known", name)
		}
	}
}

func TestRefuses(t *testing.T) {
	p := newPKI(t, elliptic.P256(), "ES256", nil)
	other := newPKI(t, elliptic.P256(), "ES256", nil)
	p384 := newPKI(t, elliptic.P384(), "ES256", nil)
	good := string(p.seal(t, vaccination))
	changed := func(pairs ...string) []byte { return []byte(with(good, pairs...)) }
	signed := func(pairs ...string) []byte { return p.seal(t, with(vaccination, pairs...)) }
	for name, c := range map[string]struct {
		text []byte
		want proof.Fault
	}{
		"another name":             {changed("JO ANN", "JO"), proof.Forged},
		"another dose":             {changed(`"seq":1`, `"seq":2`), proof.Forged},
		"a member more":            {changed(`"uvci"`, `"x":1,"uvci"`), proof.Forged},
		"a space in a text":        {changed("DOE  JO", "DOE JO"), proof.Forged},
		"unknown signer":           {other.seal(t, vaccination), proof.KeyUnknown},
		"another's certificate":    {changed(enc(p.cert.Raw), enc(other.cert.Raw)), proof.KeyUnknown},
		"the authority's":          {changed(enc(p.cert.Raw), enc(p.authority.Raw)), proof.Forged},
		"none":                     {changed("ES256", "none"), proof.Algorithm},
		"ES384 with P-256":         {changed("ES256", "ES384"), proof.Unreadable},
		"RS256":                    {changed("ES256", "RS256"), proof.Algorithm},
		"a name twice":             {changed(`"uvci"`, `"uvci":"U2","uvci"`), proof.Unreadable},
		"a name twice, escaped":    {changed(`"uvci"`, `"\u0075vci":"U2","uvci"`), proof.Unreadable},
		"half a surrogate":         {changed("JO ANN", `\ud800`), proof.Unreadable},
		"text behind":              {changed("}}", "}}") /* see below */, ""},
		"a fraction":               {changed(`"seq":1`, `"seq":1.12345678901234567`), proof.Unreadable},
		"a huge number":            {changed(`"seq":1`, `"seq":1e999999`), proof.Unreadable},
		"no certificate":           {changed(`"cer"`, `"cert"`), proof.Unreadable},
		"certificate of nothing":   {changed(enc(p.cert.Raw), "AAAA"), proof.Unreadable},
		"standard base64":          {[]byte(strings.NewReplacer("-", "+", "_", "/").Replace(good)), ""},
		"line end in the value":    {changed(`"sigvl":"`, `"sigvl":"\n`), proof.Unreadable},
		"half the padding":         {changed(`==",`, `=",`), proof.Unreadable},
		"left-over bits":           {leftover(good), proof.Unreadable},
		"version 2":                {signed(`"v":1`, `"v":2`), proof.Unsupported},
		"version in text":          {signed(`"v":1`, `"v":"1"`), proof.Unsupported},
		"another kind":             {signed("icao.vacc", "icao.visa"), proof.Unsupported},
		"no issuer":                {signed(`"is"`, `"iss"`), proof.Content},
		"another country":          {signed(`"is":"AUS"`, `"is":"NZL"`), proof.KeyCountry},
		"no name":                  {signed(`"n":"DOE  JO ANN",`, ""), proof.Content},
		"born on no day":           {signed("1980-02", "1980-13"), proof.Content},
		"neither birth nor number": {signed(`"dob":"1980-02","i":"N1",`, ""), proof.Content},
		"no dose":                  {signed(`"vd":[`, `"vd":[],"x":[`), proof.Content},
		"no vaccine":               {signed(`"ve":[`, `"ve":[],"x":[`), proof.Content},
		"given on no day":          {signed("2026-01-02", "2026-01-32"), proof.Content},
		"given at an hour":         {signed("2026-01-02", "2026-01-02T10:00:00Z"), proof.Content},
		"too many doses":           {signed(`"vd":[`, `"vd":[`+strings.Repeat(`{"dvc":"2026-01-02"},`, 64)), proof.TooLarge},
		"a sample at no time":      {p.seal(t, with(testing1, "2026-11-23T10", "2026-11-23T25")), proof.Content},
		"no result":                {p.seal(t, with(testing1, `,"r":"positive"`, "")), proof.Content},
		"a bundle":                 {[]byte(`{"data":1}`), proof.NotProof},
		"something else":           {[]byte(`HC1:`), proof.NotProof},
		"nothing":                  {nil, proof.NotProof},
		"cut short":                {[]byte(good[:len(good)-1]), proof.Unreadable},
		"too long":                 {append([]byte(good[:len(good)-1]), append(bytes.Repeat([]byte(" "), MaxText), '}')...), proof.TooLarge},
		"key of another curve":     {p384seal(t, p384), proof.Algorithm},
	} {
		text := c.text
		if name == "text behind" {
			text, c.want = append([]byte(good), `{}`...), proof.Unreadable
		}
		keys := p.trusted()
		keys.certs = append(keys.certs, p384.authority)
		r := Verify(text, keys, nil, at)
		if name == "standard base64" && string(text) == good {
			continue // by chance the same in both alphabets
		}
		if r.Genuine() || len(r.Faults) == 0 || c.want != "" && r.Faults[0] != c.want {
			t.Errorf("%s: genuine %v, faults %v, want %v", name, r.Genuine(), r.Faults, c.want)
		}
		if r.Claims != nil && r.Claims.Assurance == proof.Signed {
			t.Errorf("%s: assured by a signature", name)
		}
	}
}

// leftover sets the lowest bit of the last letter of the signature that no byte has.
func leftover(good string) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := []byte(good)
	i := strings.Index(good, `==","cer"`) - 1
	b[i] = letters[strings.IndexByte(letters, b[i])^1]
	return b
}

// p384seal says ES256, and its key is of P-384.
func p384seal(t *testing.T, p pki) []byte {
	t.Helper()
	p.priv, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return p.seal(t, vaccination)
}

func TestMaySign(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*x509.Certificate)
		vacc, tests bool
	}{
		"both": {nil, true, true},
		"says nothing": {func(c *x509.Certificate) {
			c.KeyUsage, c.UnknownExtKeyUsage, c.ExtraExtensions = 0, nil, nil
		}, true, true},
		"may certify": {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }, false, false},
		"for servers": {func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, false, false},
		"for other documents": {func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}}
		}, false, false},
		"for anything": {func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}, true, true},
		"for passports":    {func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{documents("P")} }, false, false},
		"for tests":        {func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{documents("NT")} }, false, true},
		"for vaccinations": {func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{documents("NV")} }, true, false},
		"for what is no list": {func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oidDocuments(), Value: []byte{5, 0}}}
		}, false, false},
	} {
		p := newPKI(t, elliptic.P256(), "ES256", c.change)
		for data, want := range map[string]bool{vaccination: c.vacc, testing1: c.tests} {
			r := Verify(p.seal(t, data), p.trusted(), nil, at)
			if r.Genuine() != want || !want && !slices.Contains(r.Faults, proof.KeyUsage) {
				t.Errorf("%s: genuine %v, want %v; faults %v", name, r.Genuine(), want, r.Faults)
			}
		}
	}
}

func TestStanding(t *testing.T) {
	p := newPKI(t, elliptic.P256(), "ES256", nil)
	text := p.seal(t, vaccination)
	for name, c := range map[string]struct {
		change func(*list)
		at     time.Time
		fault  proof.Fault
		note   proof.Fault
	}{
		"fresh":             {func(*list) {}, at, "", ""},
		"absent":            {func(l *list) { l.age = proof.Absent }, at, proof.ListMissing, ""},
		"too old":           {func(l *list) { l.age = proof.TooOld }, at, proof.ListTooOld, ""},
		"stale":             {func(l *list) { l.age = proof.Stale }, at, "", proof.ListStale},
		"signer ran out":    {func(*list) {}, p.cert.NotAfter.Add(time.Second), proof.KeyExpired, ""},
		"signer to come":    {func(*list) {}, p.cert.NotBefore.Add(-time.Second), proof.KeyEarly, ""},
		"for tests alone":   {func(l *list) { l.usage = proof.UsageTest }, at, proof.KeyUsage, ""},
		"another country's": {func(l *list) { l.country = "NZL" }, at, proof.KeyCountry, ""},
		"of no country":     {func(l *list) { l.country = "" }, at, "", proof.KeyUnbound},
		"named twice":       {func(l *list) { l.certs = append(l.certs, p.cert) }, at, "", ""},
		"nobody is asked":   {nil, at, proof.ListMissing, ""},
	} {
		var keys proof.Keys
		if c.change != nil {
			l := p.trusted()
			c.change(&l)
			keys = l
		}
		r := Verify(text, keys, nil, c.at)
		if c.fault == "" && !r.Genuine() || c.fault != "" && !slices.Contains(r.Faults, c.fault) || c.note != "" && !slices.Contains(r.Notes, c.note) {
			t.Errorf("%s: faults %v, notes %v", name, r.Faults, r.Notes)
		}
	}
	for standing, fault := range map[proof.Standing]proof.Fault{proof.IsRevoked: proof.Revoked, proof.NotRevoked: "", proof.NoList: ""} {
		r := Verify(text, p.trusted(), always(standing), at)
		if r.Genuine() != (fault == "") || len(r.Notes) != 0 {
			t.Errorf("standing %v: faults %v, notes %v", standing, r.Faults, r.Notes)
		}
	}
	// What is missing beside the dose itself is said, and nobody is sent away for it.
	r := Verify(p.seal(t, with(vaccination, `"lot":"L1"`, `"lot":""`)), p.trusted(), nil, at)
	if !r.Genuine() || !slices.Contains(r.Notes, proof.Irregular) {
		t.Errorf("no lot: faults %v, notes %v", r.Faults, r.Notes)
	}
	// A disease that is named and not known is not what the vaccine is usually for.
	r = Verify(p.seal(t, with(vaccination, `"dis":"1C81"`, `"dis":"XYZ1"`)), p.trusted(), nil, at)
	if !r.Genuine() || r.Claims.Events[0].Disease != proof.UnknownCode || !slices.Contains(r.Notes, proof.UnknownDisease) {
		t.Errorf("unknown disease: faults %v, notes %v", r.Faults, r.Notes)
	}
}

// TestLists verifies by lists as they are published: the authority's certificate, the
// signer's own, and another's.
func TestLists(t *testing.T) {
	p, other := newPKI(t, elliptic.P256(), "ES256", nil), newPKI(t, elliptic.P256(), "ES256", nil)
	text := p.seal(t, vaccination)
	for name, c := range map[string]struct {
		cert *x509.Certificate
		want proof.Fault
	}{
		"the authority":     {p.authority, ""},
		"the signer":        {p.cert, ""},
		"another authority": {other.authority, proof.KeyUnknown},
		"another of a name": {other.cert, proof.KeyUnknown},
	} {
		l, err := trust.Read("list.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}), at)
		if err != nil {
			t.Fatal(err)
		}
		r := Verify(text, trust.NewStore(trust.Limits{}, l), nil, at)
		if c.want == "" && (!r.Genuine() || r.Key.Country != "AUS") || c.want != "" && !slices.Contains(r.Faults, c.want) {
			t.Errorf("%s: faults %v, want %q", name, r.Faults, c.want)
		}
	}
}

// TestWithdrawn: what any list takes back is not believed, by whichever name of the signer
// or of its authority, and what takes back something else does nothing.
func TestWithdrawn(t *testing.T) {
	p := newPKI(t, elliptic.P256(), "ES256", func(c *x509.Certificate) { c.SubjectKeyId = []byte("signer's") })
	kid := func(c *x509.Certificate) []byte {
		sum := sha256.Sum256(c.Raw)
		return sum[:8]
	}
	// Seals may come with the signer's certificate encoded anew.
	twin, shifted := p, p
	twin.cert, shifted.cert = encodedAnew(t, p.cert, true), encodedAnew(t, p.cert, false)
	for _, c := range []struct {
		name    string
		seal    pki
		id      []byte
		country string
		// by the authority, by the signer itself, and by both
		authority, signer, both bool
	}{
		{"the signer's own", p, kid(p.cert), "", true, true, true},
		{"of its country", p, kid(p.cert), "AUS", true, true, true},
		{"of another country", p, kid(p.cert), "NZL", false, false, false},
		{"as it was listed", p, []byte("listed78"), "AUS", false, true, true},
		{"the key identifier", p, []byte("signer's"), "", true, true, true},
		{"the authority's own", p, kid(p.authority), "", true, false, true},
		{"the authority as it was listed", p, []byte("csca5678"), "AUS", true, false, true},
		{"the authority's key identifier", p, []byte("authority"), "", true, true, true},
		{"nothing", p, nil, "", false, false, false},
		{"something else", p, []byte("other678"), "", false, false, false},
		{"its twin", twin, kid(p.cert), "", true, true, true},
		{"its twin, as it was listed", twin, []byte("listed78"), "", false, true, true},
		{"shifted by a bit", shifted, kid(p.cert), "", true, true, true},
	} {
		text := c.seal.seal(t, vaccination)
		for with, want := range map[string]bool{"authority": c.authority, "signer": c.signer, "authority signer": c.both} {
			var lists []*trust.List
			add := func(id string, cert *x509.Certificate) {
				l := trust.NewList("l", at)
				l.AddCertificate([]byte(id), "AUS", parsed(t, cert))
				lists = append(lists, l)
			}
			if strings.Contains(with, "authority") {
				add("csca5678", p.authority)
			}
			if strings.Contains(with, "signer") {
				add("listed78", p.cert)
			}
			r := Verify(text, trust.NewStore(trust.Limits{}, lists...), nil, at)
			if !r.Genuine() && (with != "signer" || c.seal.cert == p.cert) {
				t.Errorf("%s, by %s: %v", c.name, with, r.Faults)
			}
			// The list that takes back is years too old, and that does not matter.
			gone := trust.NewList("gone", at.AddDate(-3, 0, 0))
			gone.Withdraw(c.id, c.country)
			r = Verify(text, trust.NewStore(trust.Limits{TooOld: time.Hour}, append(lists, gone)...), nil, at)
			revoked := slices.Contains(r.Faults, proof.KeyRevoked)
			if r.Genuine() == want || revoked != want && (with != "signer" || c.seal.cert == p.cert) {
				t.Errorf("%s, by %s: genuine %v, faults %v", c.name, with, r.Genuine(), r.Faults)
			}
		}
	}
}

// TestWithdrawnSpecimen: the published seals have a signer of no key identifier.
func TestWithdrawnSpecimen(t *testing.T) {
	when := time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"single-vaccine.txt", "test.txt"} {
		text := vector(t, name)
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		cert := parsed(t, s.Certificate)
		for _, id := range [][]byte{cert.KeyID(), []byte("listed78")} {
			l := trust.NewList("l", when)
			l.AddCertificate([]byte("listed78"), "", cert)
			if r := Verify(text, trust.NewStore(trust.Limits{}, l), nil, when); !r.Genuine() {
				t.Errorf("%s: %v", name, r.Faults)
			}
			l.Withdraw(id, "")
			if r := Verify(text, trust.NewStore(trust.Limits{}, l), nil, when); r.Genuine() || !slices.Equal(r.Faults, []proof.Fault{proof.KeyRevoked}) {
				t.Errorf("%s, %x taken back: genuine %v, faults %v", name, id, r.Genuine(), r.Faults)
			}
		}
	}
}

func parsed(t *testing.T, c *x509.Certificate) *trust.Certificate {
	t.Helper()
	cert, err := trust.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// encodedAnew returns a certificate of the authority's other signature, n − s for s, which is
// as good and which nobody needs its key for; or of the same, with a bit behind it that is
// said not to count.
func encodedAnew(t *testing.T, c *x509.Certificate, twin bool) *x509.Certificate {
	t.Helper()
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(c.Signature, &sig); err != nil {
		t.Fatal(err)
	}
	if twin {
		sig.S.Sub(elliptic.P256().Params().N, sig.S)
	}
	value, err1 := asn1.Marshal(sig)
	var cert struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err2 := asn1.Unmarshal(c.Raw, &cert)
	cert.Signature = asn1.BitString{Bytes: value, BitLength: 8 * len(value)}
	if !twin {
		cert.Signature = asn1.BitString{Bytes: new(big.Int).Lsh(new(big.Int).SetBytes(value), 1).Bytes(), BitLength: 8*len(value) - 1}
	}
	der, err3 := asn1.Marshal(cert)
	x, err4 := x509.ParseCertificate(der)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return x
}

type always proof.Standing

func (a always) Standing(q proof.RevocationQuery) proof.Standing {
	if len(q.Hashes) != 1 || q.Hashes[0] != proof.NewHash(proof.HashUVCI, []byte("U1")) {
		return proof.Unconfirmed
	}
	return proof.Standing(a)
}

// TestHostile holds what a seal may cost whatever it holds, to a megabyte.
func TestHostile(t *testing.T) {
	p := newPKI(t, elliptic.P256(), "ES256", nil)
	good := string(p.seal(t, vaccination))
	for name, text := range map[string]string{
		"good":         good,
		"deep":         strings.Repeat(`{"data":`, 2000),
		"many values":  `{"data":[` + strings.Repeat("0,", 8000) + "0]}",
		"many members": with(good, `"uvci"`, manyMembers(3000)+`"uvci"`),
		"long":         strings.Repeat(good, 1000),
		"escapes":      with(good, "JO ANN", strings.Repeat(`\u0041`, 2000)),
		"long number":  with(good, `"seq":1`, `"seq":`+strings.Repeat("9", 10000)),
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := Verify([]byte(text), p.trusted(), nil, at)
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, spent)
		}
		if r.Genuine() != (name == "good") {
			t.Errorf("%s: genuine is %v", name, r.Genuine())
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"` + big.NewInt(int64(i)).Text(36) + `":1,`)
	}
	return b.String()
}

func TestFault(t *testing.T) {
	for _, err := range []error{ErrNotSeal, ErrForm, ErrSize, ErrUnsupported, ErrAlgorithm, ErrContent, errors.New("another")} {
		if !slices.Contains(proof.Faults(), proof.FaultOf(err)) {
			t.Errorf("%v: no fault", err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	p := newPKI(f, elliptic.P256(), "ES256", nil)
	f.Add(p.seal(f, vaccination))
	f.Add(p.seal(f, testing1))
	for _, name := range []string{"single-vaccine.txt", "test.txt"} {
		if b, err := os.ReadFile(filepath.Join(vectors, name)); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		Known(text)
		r := Verify(text, list{age: proof.Fresh}, nil, at)
		if r.Genuine() {
			t.Fatal("genuine without a trusted key")
		}
		s, err := Parse(text)
		if err != nil {
			return
		}
		s.SelfConsistent()
		MaySign(s.Certificate, s.Type)
		if len(s.Claims.Events) == 0 || s.Claims.Holder.Name() == "" {
			t.Fatal("a seal of nothing is accepted")
		}
	})
}
