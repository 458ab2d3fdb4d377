// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
)

const vectors = "../../../../shared/vectors/"

var (
	now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	b64 = base64.StdEncoding.EncodeToString
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type made struct {
	key  *ecdsa.PrivateKey
	cert *Certificate
	x    *x509.Certificate
}

// make returns a certificate for a country, by an issuer or by itself.
func newCertificate(country string, by *made, change func(*x509.Certificate)) made {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), BasicConstraintsValid: true}
	if country != "" {
		t.Subject = pkix.Name{Country: []string{country}, CommonName: "signer"}
	}
	if change != nil {
		change(t)
	}
	parent, signer := t, key
	if by != nil {
		parent, signer = by.x, by.key
	}
	der := must(x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer))
	return made{key, must(ParseCertificate(der)), must(x509.ParseCertificate(der))}
}

func ask(k proof.Keys, id []byte) ([]proof.Key, proof.Age) {
	return k.Keys(proof.Query{Format: proof.DCC, KeyID: id, At: now})
}

// TestCertificate: what is read of a certificate is what the standard library reads, where
// it reads any.
func TestCertificate(t *testing.T) {
	arc, arc0 := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1}
	with := func(arc asn1.ObjectIdentifier, n int) asn1.ObjectIdentifier {
		return append(arc[:len(arc):len(arc)], n)
	}
	for name, c := range map[string]struct {
		usages []asn1.ObjectIdentifier
		want   proof.Usage
	}{
		"none":                 {nil, 0},
		"tests":                {[]asn1.ObjectIdentifier{with(arc, 1)}, proof.UsageTest},
		"doses, with the zero": {[]asn1.ObjectIdentifier{with(arc0, 2)}, proof.UsageVaccination},
		"two of two families":  {[]asn1.ObjectIdentifier{with(arc, 3), with(arc0, 1)}, proof.UsageTest | proof.UsageRecovery},
		"another":              {[]asn1.ObjectIdentifier{with(arc, 4), {1, 3, 6, 1, 5, 5, 7, 3, 2}}, 0},
		"longer":               {[]asn1.ObjectIdentifier{with(with(arc, 1), 1)}, 0},
	} {
		m := newCertificate("AT", nil, func(x *x509.Certificate) { x.UnknownExtKeyUsage = c.usages })
		if m.cert.Usage != c.want {
			t.Errorf("%s: %b", name, m.cert.Usage)
		}
		if !m.cert.NotBefore.Equal(m.x.NotBefore) || !m.cert.NotAfter.Equal(m.x.NotAfter) || m.cert.Country != "AUT" || m.cert.Authority || !m.key.PublicKey.Equal(m.cert.Public) {
			t.Errorf("%s: read as something else", name)
		}
	}
	for c, want := range map[string]string{"": "", "WW": "", "EL": "GRC", "XK": "RKS"} {
		if got := newCertificate(c, nil, nil).cert.Country; got != want {
			t.Errorf("country %q is %q", c, got)
		}
	}
	good := newCertificate("AT", nil, nil).cert.DER
	for n := range len(good) {
		if _, err := ParseCertificate(good[:n]); !errors.Is(err, ErrCertificate) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if _, err := ParseCertificate(append(good[:len(good):len(good)], 0)); !errors.Is(err, ErrCertificate) {
		t.Errorf("a byte after: %v", err)
	}
}

// TestKeysOfCertificates are lengths and curves that a list may and may not have.
func TestKeysOfCertificates(t *testing.T) {
	sub := func(pub any) []byte { return must(x509.MarshalPKIXPublicKey(pub)) }
	if k := publicKey(sub(&must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey)); k == nil {
		t.Error("1024 bits, as some states sign, are refused")
	}
	if k := publicKey(sub(&must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).PublicKey)); k == nil {
		t.Error("P-384 is refused")
	}
	n := new(big.Int).Lsh(big.NewInt(1), 1000)
	if RSAKey(n, 65537) != nil || RSAKey(n.Lsh(n, 10000), 65537) != nil || RSAKey(new(big.Int).Lsh(big.NewInt(1), 2047), 1) != nil || RSAKey(new(big.Int), 3) != nil {
		t.Error("a modulus or an exponent out of range")
	}
	p := elliptic.P256().Params()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := must(key.PublicKey.Bytes())
	type params struct {
		Version int
		Field   struct {
			Type asn1.ObjectIdentifier
			P    *big.Int
		}
		Curve struct{ A, B []byte }
		G     []byte
		N     *big.Int
		H     int
	}
	written := func(change func(*params)) []byte {
		q := params{Version: 1, G: append(append([]byte{4}, p.Gx.FillBytes(make([]byte, 32))...), p.Gy.FillBytes(make([]byte, 32))...), N: p.N, H: 1}
		q.Field.Type, q.Field.P = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}, p.P
		q.Curve.A, q.Curve.B = new(big.Int).Sub(p.P, big.NewInt(3)).Bytes(), p.B.Bytes()
		change(&q)
		var s struct {
			Alg struct {
				Type   asn1.ObjectIdentifier
				Params params
			}
			Bits asn1.BitString
		}
		s.Alg.Type, s.Alg.Params, s.Bits = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, q, asn1.BitString{Bytes: point, BitLength: 8 * len(point)}
		return must(asn1.Marshal(s))
	}
	if k := publicKey(written(func(*params) {})); k == nil || !key.PublicKey.Equal(k) {
		t.Error("P-256 written out is refused")
	}
	one := big.NewInt(1)
	for name, change := range map[string]func(*params){
		"generator":      func(q *params) { q.G = point },
		"other half":     func(q *params) { q.G[64] ^= 1 },
		"short":          func(q *params) { q.G = q.G[:33] },
		"order":          func(q *params) { q.N = new(big.Int).Add(p.N, one) },
		"prime":          func(q *params) { q.Field.P = new(big.Int).Add(p.P, one) },
		"a":              func(q *params) { q.Curve.A = []byte{3} },
		"b":              func(q *params) { q.Curve.B = []byte{3} },
		"kind of field":  func(q *params) { q.Field.Type = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 2} },
		"point at none":  func(q *params) { q.G = []byte{0} },
		"hybrid of none": func(q *params) { q.G[0] = 6 },
	} {
		if publicKey(written(change)) != nil {
			t.Errorf("a curve with another %s is taken for P-256", name)
		}
	}
	if k := PointKey(elliptic.P256(), elliptic.MarshalCompressed(elliptic.P256(), key.X, key.Y)); k == nil || !key.PublicKey.Equal(k) {
		t.Error("a compressed point is refused")
	}
	bad := append([]byte(nil), point...)
	bad[64] ^= 1
	if PointKey(elliptic.P256(), bad) != nil || PointKey(elliptic.P256(), nil) != nil {
		t.Error("a point off the curve")
	}
}

// TestRead reads each form of a list with the same two certificates, of which one entry
// is broken and loses itself alone.
func TestRead(t *testing.T) {
	a, b := newCertificate("AT", nil, nil), newCertificate("DE", nil, func(x *x509.Certificate) {
		x.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1}}
	})
	id, id2 := a.cert.KeyID(), b.cert.KeyID()
	entry := func(m made, id []byte, country string) map[string]any {
		return map[string]any{"kid": b64(id), "country": country, "certificateType": "DSC", "rawData": b64(m.cert.DER)}
	}
	entries := []any{entry(a, id, "AT"), map[string]any{"kid": "x", "rawData": "AAAA"}, 7, map[string]any{"kid": b64(id2), "country": "DE", "certificateType": "UPLOAD", "rawData": b64(b.cert.DER)}, entry(b, id2, "DE")}
	jwkOf := func(m made, more map[string]any) map[string]any {
		j := map[string]any{"kty": "EC", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(m.key.X.Bytes()), "y": b64(m.key.Y.FillBytes(make([]byte, 33)))}
		for k, v := range more {
			j[k] = v
		}
		return j
	}
	did := map[string]any{"verificationMethod": []any{
		"did:web:example.test", map[string]any{"id": "nothing"}, map[string]any{"id": "did:web:x:v2:trustlist:DCC:AUT:DSC#AAAA", "publicKeyJwk": map[string]any{"kty": "EC", "crv": "UNKNOWN CURVE", "x": "AA", "y": "AA"}},
		map[string]any{"id": "did:web:x:v2:trustlist:DCC:AUT:DSC#" + b64(id), "publicKeyJwk": jwkOf(a, map[string]any{"x5c": []string{b64(a.cert.DER)}})},
		map[string]any{"id": "did:web:x:v2:trustlist:DCC:DEU:SCA#" + b64(id2), "publicKeyJwk": jwkOf(b, map[string]any{"x5c": []string{b64(b.cert.DER)}})},
		map[string]any{"id": "did:web:x:v2:trustlist:DCC:DEU:DSC#" + b64(id2), "publicKeyJwk": jwkOf(b, map[string]any{"x5c": []string{b64(b.cert.DER)}})},
		map[string]any{"id": "did:web:x:trustlist:fra#" + b64([]byte("onlykey1")), "publicKeyJwk": jwkOf(b, nil)},
		map[string]any{"id": "did:web:x:trustlist:fra#" + b64([]byte("mismatch")), "publicKeyJwk": jwkOf(b, map[string]any{"x5c": []string{b64(a.cert.DER)}})},
	}, "proof": map[string]any{"created": "2026-02-20T00:00:00Z"}}
	text := func(v any) []byte { return must(json.Marshal(v)) }
	for name, file := range map[string][]byte{
		"gateway":           text(entries),
		"gateway, in a map": text(map[string]any{"certificates": entries}),
		"below a signature": append([]byte(b64(make([]byte, 64))+"\n"), text(map[string]any{"certificates": entries})...),
		"with a mark":       append([]byte("\ufeff"), text(entries)...),
		"DID":               text(did),
		"map":               text(map[string]any{b64(id): b64(a.cert.DER), b64(id2): []string{b64(b.cert.DER)}, "x": "AAAA"}),
		"map of keys": text(map[string]any{"eu_keys": map[string]any{
			b64(id):  []any{map[string]any{"subjectPk": b64(must(x509.MarshalPKIXPublicKey(&a.key.PublicKey))), "ian": "AT", "keyUsage": []string{}}},
			b64(id2): []any{map[string]any{"subjectPk": b64(must(x509.MarshalPKIXPublicKey(&b.key.PublicKey))), "ian": "DE", "keyUsage": []string{"t"}}, map[string]any{"subjectPk": "AAAA"}}}}),
	} {
		l, err := Read(name, file, now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := NewStore(Limits{}, l)
		ks, age := ask(s, id)
		ks2, _ := ask(s, id2)
		if len(ks) != 1 || len(ks2) != 1 || age != proof.Fresh || ks[0].Country != "AUT" || ks2[0].Country != "DEU" || !a.key.PublicKey.Equal(ks[0].Public) || ks2[0].Usage != proof.UsageTest || ks[0].Usage != 0 || ks[0].List != name {
			t.Errorf("%s: %d and %d keys, %+v", name, len(ks), len(ks2), l.Rejected)
		}
		if name == "DID" {
			only, _ := ask(s, []byte("onlykey1"))
			wrong, _ := ask(s, []byte("mismatch"))
			if len(only) != 1 || only[0].Country != "FRA" || len(wrong) != 0 || len(l.Rejected) != 3 || !l.At.Equal(time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("DID: %d, %d, %+v, %v", len(only), len(wrong), l.Rejected, l.At)
			}
		}
	}
	for name, file := range map[string]string{"empty": "", "spaces": "  ", "text": "hello", "object": "{}", "array of none": "[", "object of none": "{", "other": `{"a":1}`} {
		if l, err := Read(name, []byte(file), now); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v, %d keys", name, err, l.Len())
		}
	}
}

// TestFiles: a folder is a list, in which a file's name is the key id.
func TestFiles(t *testing.T) {
	a, b := newCertificate("AT", nil, nil), newCertificate("DE", nil, nil)
	block := func(m made) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert.DER})
	}
	l := NewList("folder", time.Time{})
	given := []byte("\xfb\xff\xbfabcde")
	for name, file := range map[string][]byte{
		url.QueryEscape(b64(given)) + ".pem": append(block(a), block(b)...),
		"signer.cer":                         a.cert.DER,
		"dir/other.pem":                      append([]byte("# comment\n"), block(b)...),
		"broken.pem":                         pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.DER[:90]}),
	} {
		if err := l.AddFile(name, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.AddFile("readme.md", []byte("hello")); !errors.Is(err, ErrForm) {
		t.Errorf("a text: %v", err)
	}
	s := NewStore(Limits{}, l)
	for name, c := range map[string]struct {
		id   []byte
		want int
	}{"two under one name": {given, 2}, "its own id": {a.cert.KeyID(), 1}, "in a folder": {b.cert.KeyID(), 1}, "none": {[]byte("12345678"), 0}} {
		if ks, _ := ask(s, c.id); len(ks) != c.want {
			t.Errorf("%s: %d keys", name, len(ks))
		}
	}
	if len(l.Rejected) != 1 || l.Rejected[0].Entry != "broken.pem" {
		t.Errorf("rejected: %v", l.Rejected)
	}
}

// TestAges: limits come from outside, the youngest list that has the key counts, and a
// list that is too old has nothing but what it takes back.
func TestAges(t *testing.T) {
	a := newCertificate("AT", nil, nil)
	id := a.cert.KeyID()
	list := func(age time.Duration) *List {
		l := NewList(fmt.Sprint(age), now.Add(-age))
		l.AddCertificate(nil, "", a.cert)
		return l
	}
	limits := Limits{Stale: time.Hour, TooOld: 24 * time.Hour}
	for name, c := range map[string]struct {
		lists []*List
		keys  int
		age   proof.Age
	}{
		"none":              {nil, 0, proof.Absent},
		"an empty one":      {[]*List{NewList("", now)}, 0, proof.Absent},
		"at the limit":      {[]*List{list(time.Hour)}, 1, proof.Fresh},
		"stale":             {[]*List{list(time.Hour + 1)}, 1, proof.Stale},
		"at the last limit": {[]*List{list(24 * time.Hour)}, 1, proof.Stale},
		"too old":           {[]*List{list(24*time.Hour + 1)}, 0, proof.TooOld},
		"to come":           {[]*List{list(-time.Hour)}, 1, proof.Fresh},
		"of both":           {[]*List{list(48 * time.Hour), list(2 * time.Hour), list(time.Minute)}, 2, proof.Fresh},
	} {
		s := NewStore(limits, c.lists...)
		if ks, age := ask(s, id); len(ks) != c.keys || age != c.age {
			t.Errorf("%s: %d keys, age %d", name, len(ks), age)
		}
	}
	if _, age := ask(NewStore(Limits{}, list(1e6*time.Hour)), id); age != proof.Fresh {
		t.Errorf("no limits: %d", age)
	}
	gone := NewList("gone", now.Add(-100*time.Hour))
	gone.Withdraw(id, "AUT")
	l := list(0)
	s := NewStore(limits, l, gone)
	if ks, _ := ask(s, id); len(ks) != 1 || !ks[0].Withdrawn {
		t.Error("what a list takes back stays")
	}
	if l.signed[string(id)][0].Withdrawn {
		t.Error("a list was changed by asking")
	}
	gone = NewList("gone", now)
	gone.Withdraw(id, "DEU")
	if ks, _ := ask(NewStore(limits, l, gone), id); len(ks) != 1 || ks[0].Withdrawn {
		t.Error("taken back for another country")
	}
}

// TestSealers: a seal's own certificate counts where a list has it, or has who issued it.
func TestSealers(t *testing.T) {
	ca := newCertificate("UT", nil, func(x *x509.Certificate) {
		x.IsCA, x.KeyUsage, x.NotAfter = true, x509.KeyUsageCertSign, now.Add(time.Minute)
		x.Subject.CommonName = "authority"
	})
	other := newCertificate("UT", nil, func(x *x509.Certificate) {
		x.IsCA, x.KeyUsage = true, x509.KeyUsageCertSign
		x.Subject.CommonName = "authority"
	})
	signer := newCertificate("UT", &ca, nil)
	get := func(cert *Certificate, country string) []proof.Key {
		l := NewList("l", now)
		l.AddCertificate(nil, country, cert)
		ks, _ := NewStore(Limits{}, l).Keys(proof.Query{Format: proof.VDSNC, Certificate: signer.cert.DER, At: now})
		return ks
	}
	if ks := get(ca.cert, "UTO"); len(ks) != 1 || ks[0].Country != "UTO" || !signer.key.PublicKey.Equal(ks[0].Public) || !ks[0].NotAfter.Equal(ca.cert.NotAfter) {
		t.Errorf("by its authority: %d", len(ks))
	}
	if ks := get(signer.cert, "UTO"); len(ks) != 1 || !ks[0].NotAfter.Equal(signer.cert.NotAfter) {
		t.Errorf("by itself: %d", len(ks))
	}
	if ks := get(other.cert, "UTO"); len(ks) != 0 {
		t.Error("an authority of the same name issued it")
	}
	notCA := *ca.cert
	notCA.Authority = false
	if ks := get(&notCA, "UTO"); len(ks) != 0 {
		t.Error("a signer issued it")
	}
}

// TestWithdrawnAuthority: an authority is taken back under the id that its list gives it, and
// the list of two sides that is made of that one keeps the id.
func TestWithdrawnAuthority(t *testing.T) {
	ca := newCertificate("UT", nil, func(x *x509.Certificate) { x.IsCA, x.KeyUsage = true, x509.KeyUsageCertSign })
	signer := newCertificate("UT", &ca, nil)
	file := must(json.Marshal([]any{map[string]string{"kid": b64([]byte("csca5678")), "country": "UT", "certificateType": "CSCA", "rawData": b64(ca.cert.DER)}}))
	listed := must(Read("gateway", file, now))
	own := NewList("own", now)
	own.addAuthority(ca.cert.KeyID(), "UT", ca.cert)
	body := must(Compose(1, now, listed))
	for name, l := range map[string]*List{"listed": listed, "of two sides": must(ReadList("sides", body)), "of its own id": must(ReadList("own", must(Compose(1, now, own))))} {
		if n := l.Authorities(); n != 1 {
			t.Fatalf("%s: %d authorities", name, n)
		}
		for id, want := range map[string]bool{"csca5678": name != "of its own id", string(ca.cert.KeyID()): true, string(signer.cert.KeyID()): true, "other678": false} {
			gone := NewList("gone", now)
			gone.Withdraw([]byte(id), "")
			ks, _ := NewStore(Limits{}, l, gone).Keys(proof.Query{Format: proof.VDSNC, Certificate: signer.cert.DER, At: now})
			if len(ks) != 1 || ks[0].Withdrawn != want {
				t.Errorf("%s, %q taken back: %+v", name, id, ks)
			}
		}
	}
	if bytes.Contains(must(Compose(1, now, own)), []byte(`"kid"`)) {
		t.Error("an authority's own id needs no place in the list")
	}
}

// TestUnbound: a key of no country is taken back whatever country the withdrawal is for.
func TestUnbound(t *testing.T) {
	l := NewList("l", now)
	l.AddKey([]byte("12345678"), proof.Key{Public: &newCertificate("", nil, nil).key.PublicKey})
	l.Withdraw([]byte("12345678"), "AUT")
	if ks, _ := ask(NewStore(Limits{}, l), []byte("12345678")); len(ks) != 1 || !ks[0].Withdrawn {
		t.Errorf("%+v", ks)
	}
}

// TestPublished reads the lists of the trust network and of the EU's states: what cannot be
// read is a few entries, and none of them takes another with it.
func TestPublished(t *testing.T) {
	if _, err := os.Stat(vectors); err != nil {
		t.Skipf("the lists are not there: %v", err)
	}
	for file, least := range map[string]int{"gdhcn/did-dev-v1.json": 360, "gdhcn/dev/did.json": 105, "gdhcn/uat/did.json": 90} {
		l := must(Read(file, must(os.ReadFile(vectors+file)), time.Time{}))
		if l.Len() < least || l.At.Year() != 2026 || len(l.Rejected) > 3 {
			t.Errorf("%s: %d keys of %v, rejected %v", file, l.Len(), l.At, l.Rejected)
		}
	}
	l := NewList("eu", time.Time{})
	files := must(filepath.Glob(vectors + "hcert/keys/eu/*.pem"))
	refused := 0
	for _, f := range files {
		b := must(os.ReadFile(f))
		if err := l.AddFile(f, b); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		block, _ := pem.Decode(b)
		x, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			refused++
			continue
		}
		ours, err := ParseCertificate(block.Bytes)
		if err != nil || !ours.NotAfter.Equal(x.NotAfter) || !ours.NotBefore.Equal(x.NotBefore) || ours.Authority != x.IsCA || !ours.Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(x.PublicKey) {
			t.Errorf("%s: %v, read differently", f, err)
		}
	}
	if l.Len() != len(files) || len(l.Rejected) != 0 || refused == 0 {
		t.Errorf("%d keys of %d files, rejected %v; the standard library refuses %d", l.Len(), len(files), l.Rejected, refused)
	}
}

// FuzzRead: no file makes anything but a list or an error.
func FuzzRead(f *testing.F) {
	a := newCertificate("AT", nil, nil)
	f.Add("a.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.DER}))
	f.Add("l.json", []byte(`{"verificationMethod":[{"id":"did:web:x:trustlist:fra#AAAA","publicKeyJwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}]}`))
	f.Add("l.json", []byte(`[{"kid":"AAAA","country":"AT","rawData":"MAA="}]`))
	f.Add("l.json", []byte(`{"eu_keys":{"AAAA":[{"subjectPk":"MAA=","ian":"AT","keyUsage":["t"]}]}}`))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		l, err := Read(name, b, now)
		if err == nil && l == nil {
			t.Fatal("neither")
		}
	})
}

// FuzzCertificate: what the standard library reads is read alike or not at all.
func FuzzCertificate(f *testing.F) {
	f.Add(newCertificate("AT", nil, nil).cert.DER)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			return
		}
		x, err := x509.ParseCertificate(der)
		if err == nil && (!c.NotAfter.Equal(x.NotAfter) || !c.NotBefore.Equal(x.NotBefore)) {
			t.Fatal("read differently")
		}
	})
}

// TestWithdrawnUnderAnyID: a key that is taken back is not to be used under another id
// either, by which whoever has a certificate of it might call it where the id is under no
// signature; and of two keys under one id the other country's stays.
func TestWithdrawnUnderAnyID(t *testing.T) {
	gone, stays := newCertificate("AT", nil, nil), newCertificate("DE", nil, nil)
	one, two := NewList("one", now), NewList("two", now)
	one.AddCertificate([]byte("collides"), "", gone.cert)
	one.AddCertificate([]byte("collides"), "", stays.cert)
	two.AddCertificate([]byte("elsewhere"), "", gone.cert)
	two.AddKey([]byte("unbound-"), proof.Key{Public: gone.cert.Public})
	for name, c := range map[string]struct {
		id, country string
		want        map[string]string // of each id the countries of those that are taken back
	}{
		"one country's":         {"collides", "AUT", map[string]string{"collides": "AUT ", "elsewhere": "AUT ", "unbound-": " "}},
		"the other's":           {"collides", "DEU", map[string]string{"collides": "DEU ", "elsewhere": "", "unbound-": ""}},
		"all":                   {"collides", "", map[string]string{"collides": "AUT DEU ", "elsewhere": "AUT ", "unbound-": " "}},
		"by the second id":      {"elsewhere", "", map[string]string{"collides": "AUT ", "elsewhere": "AUT ", "unbound-": " "}},
		"by its own hash":       {string(gone.cert.KeyID()), "", map[string]string{"collides": "AUT ", "elsewhere": "AUT ", "unbound-": " "}},
		"an id that nobody has": {"nothing-", "", map[string]string{"collides": "", "elsewhere": "", "unbound-": ""}},
	} {
		by := NewList("by", now)
		by.Withdraw([]byte(c.id), c.country)
		store := NewStore(Limits{}, one, two, by)
		for id, want := range c.want {
			got := ""
			ks, _ := ask(store, []byte(id))
			for _, k := range ks {
				if k.Withdrawn {
					got += k.Country + " "
				}
			}
			if got != want || len(ks) == 0 {
				t.Errorf("%s: under %s %q is taken back of %d keys, want %q", name, id, got, len(ks), want)
			}
		}
	}
	for _, ks := range one.signed {
		for _, k := range ks {
			if k.Withdrawn {
				t.Error("the list itself was changed")
			}
		}
	}
}
