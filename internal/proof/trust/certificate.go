// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	encoding_asn1 "encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"time"

	"darwaza.dev/internal/proof"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Certificate is what is read of a signer's X.509 certificate (RFC 5280 section 4.1).
// It says nothing about who issued it: a list that names the certificate vouches for it.
type Certificate struct {
	Public              crypto.PublicKey
	Country             string // proof.Country of the subject's, "" where it names none
	NotBefore, NotAfter time.Time
	Usage               proof.Usage
	Authority           bool // basic constraints say that it may issue others
	DER                 []byte
	// IssuerName and SubjectName are the names as encoded, SubjectKey and AuthorityKey the
	// identifiers of the extensions of those names, nil where they are not there.
	IssuerName, SubjectName  []byte
	SubjectKey, AuthorityKey []byte
}

// ErrCertificate is the error of a certificate of which no key can be read.
var ErrCertificate = errors.New("trust: not a certificate with a key of P-256, P-384, P-521 or RSA")

// minRSA is the least length of an RSA modulus in bits. HCERT 1.0.5 section 2 wants 2048;
// states have issued by 1024, which nobody is known to have broken, and whoever lists such
// a key vouches for it.
const minRSA = 1024

// maxRSA is the greatest length of an RSA modulus in bits: verification costs with its
// square, and no certificate in use has more than 4096.
const maxRSA = 8192

// The object identifiers that are looked for. The two families of usages are one: early
// certificates wrote the arc of enterprises with a zero too many (EU eHealth network,
// technical specifications volume 1, 3.6 and the corrigendum).
var (
	oidCountry     = encoding_asn1.ObjectIdentifier{2, 5, 4, 6}
	oidSubjectKey  = encoding_asn1.ObjectIdentifier{2, 5, 29, 14}
	oidConstraints = encoding_asn1.ObjectIdentifier{2, 5, 29, 19}
	oidAuthority   = encoding_asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtUsage    = encoding_asn1.ObjectIdentifier{2, 5, 29, 37}
	oidRSA         = encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS         = encoding_asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidEC          = encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidPrime       = encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}
	oidP256        = encoding_asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384        = encoding_asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	oidP521        = encoding_asn1.ObjectIdentifier{1, 3, 132, 0, 35}
	usageArc       = encoding_asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1847, 2021, 1}
	usageArc0      = encoding_asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1}
)

// ParseCertificate reads a certificate, DER. It is a reader of its own, since crypto/x509
// refuses certificates that are in use for reasons that do not touch their key: a missing
// NULL, a curve written out, a malformed extension. What it gives up for that is of no
// matter here: it never builds a chain from what it read so.
func ParseCertificate(der []byte) (*Certificate, error) {
	bad := func() (*Certificate, error) { return nil, ErrCertificate }
	in := cryptobyte.String(der)
	var cert, tbs cryptobyte.String
	if !in.ReadASN1(&cert, asn1.SEQUENCE) || !in.Empty() || !cert.ReadASN1(&tbs, asn1.SEQUENCE) {
		return bad()
	}
	c := &Certificate{DER: der}
	var issuer, validity, subject, spki cryptobyte.String
	if !tbs.SkipOptionalASN1(asn1.Tag(0).ContextSpecific().Constructed()) || // version
		!tbs.SkipASN1(asn1.INTEGER) || // serial number
		!tbs.SkipASN1(asn1.SEQUENCE) || // signature algorithm
		!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, asn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&spki, asn1.SEQUENCE) {
		return bad()
	}
	var ok1, ok2 bool
	c.NotBefore, ok1 = readTime(&validity)
	c.NotAfter, ok2 = readTime(&validity)
	if !ok1 || !ok2 {
		return bad()
	}
	c.IssuerName, c.SubjectName = issuer, subject
	if country, ok := readCountry(subject); ok {
		c.Country, _ = proof.Country(country)
	}
	if c.Public = readKey(spki); c.Public == nil {
		return bad()
	}
	var extensions cryptobyte.String
	var has bool
	if !tbs.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) ||
		!tbs.ReadOptionalASN1(&extensions, &has, asn1.Tag(3).ContextSpecific().Constructed()) {
		return bad()
	}
	if has && !c.readExtensions(extensions) {
		return bad()
	}
	return c, nil
}

// KeyID returns the first eight bytes of the SHA-256 of the certificate, by which health
// certificates name it (HCERT 1.0.5 section 3.3.2).
func (c *Certificate) KeyID() []byte {
	sum := sha256.Sum256(c.DER)
	return sum[:8]
}

func readTime(s *cryptobyte.String) (time.Time, bool) {
	var t time.Time
	if s.PeekASN1Tag(asn1.UTCTime) {
		return t, s.ReadASN1UTCTime(&t)
	}
	ok := s.ReadASN1GeneralizedTime(&t)
	return t.UTC(), ok
}

// readCountry returns the last country of a distinguished name, which is the most
// particular one.
func readCountry(name cryptobyte.String) (country string, ok bool) {
	var rdns cryptobyte.String
	if !name.ReadASN1(&rdns, asn1.SEQUENCE) {
		return "", false
	}
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, asn1.SET) {
			return country, ok
		}
		for !set.Empty() {
			var attr, value cryptobyte.String
			var oid encoding_asn1.ObjectIdentifier
			var tag asn1.Tag
			if !set.ReadASN1(&attr, asn1.SEQUENCE) || !attr.ReadASN1ObjectIdentifier(&oid) || !attr.ReadAnyASN1(&value, &tag) {
				return country, ok
			}
			if oid.Equal(oidCountry) {
				country, ok = strings.TrimSpace(string(value)), true
			}
		}
	}
	return country, ok && country != ""
}

func (c *Certificate) readExtensions(s cryptobyte.String) bool {
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var ext, value cryptobyte.String
		var oid encoding_asn1.ObjectIdentifier
		if !list.ReadASN1(&ext, asn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) ||
			!ext.SkipOptionalASN1(asn1.BOOLEAN) || !ext.ReadASN1(&value, asn1.OCTET_STRING) {
			return false
		}
		switch {
		case oid.Equal(oidExtUsage):
			var usages cryptobyte.String
			if !value.ReadASN1(&usages, asn1.SEQUENCE) {
				return false
			}
			for !usages.Empty() {
				var u encoding_asn1.ObjectIdentifier
				if !usages.ReadASN1ObjectIdentifier(&u) {
					return false
				}
				c.Usage |= usageOf(u)
			}
		case oid.Equal(oidConstraints):
			var bc cryptobyte.String
			if value.ReadASN1(&bc, asn1.SEQUENCE) && bc.PeekASN1Tag(asn1.BOOLEAN) {
				bc.ReadASN1Boolean(&c.Authority)
			}
		case oid.Equal(oidSubjectKey):
			var id cryptobyte.String
			if value.ReadASN1(&id, asn1.OCTET_STRING) {
				c.SubjectKey = id
			}
		case oid.Equal(oidAuthority):
			var aki, id cryptobyte.String
			var has bool
			if value.ReadASN1(&aki, asn1.SEQUENCE) && aki.ReadOptionalASN1(&id, &has, asn1.Tag(0).ContextSpecific()) && has {
				c.AuthorityKey = id
			}
		}
	}
	return true
}

// usageOf returns what an extended key usage of either family allows.
func usageOf(oid encoding_asn1.ObjectIdentifier) proof.Usage {
	for _, arc := range []encoding_asn1.ObjectIdentifier{usageArc, usageArc0} {
		if len(oid) == len(arc)+1 && oid[:len(arc)].Equal(arc) {
			switch oid[len(arc)] {
			case 1:
				return proof.UsageTest
			case 2:
				return proof.UsageVaccination
			case 3:
				return proof.UsageRecovery
			}
		}
	}
	return 0
}

// readKey reads the content of a SubjectPublicKeyInfo, nil where it holds no key that
// can be used.
func readKey(spki cryptobyte.String) crypto.PublicKey {
	var algorithm cryptobyte.String
	var oid encoding_asn1.ObjectIdentifier
	var bits []byte
	if !spki.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) || !spki.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	switch {
	case oid.Equal(oidRSA), oid.Equal(oidPSS):
		return readRSA(bits)
	case oid.Equal(oidEC):
		curve := readCurve(algorithm)
		if curve == nil {
			return nil
		}
		return PointKey(curve, bits)
	}
	return nil
}

func readRSA(bits cryptobyte.String) crypto.PublicKey {
	var seq cryptobyte.String
	n, e := new(big.Int), 0
	if !bits.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(&e) {
		return nil
	}
	return RSAKey(n, e)
}

// RSAKey returns a key of RSA, or nil for one that is too short to be worth anything, too
// long to be verified in a blink, or none.
func RSAKey(n *big.Int, e int) crypto.PublicKey {
	if n.Sign() <= 0 || n.BitLen() < minRSA || n.BitLen() > maxRSA || e < 3 || e&1 == 0 || int64(e) > 1<<31-1 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: e}
}

// PointKey returns the key of a point, uncompressed or compressed (SEC 1 section 2.3.3),
// or nil for one that is not on the curve.
func PointKey(curve elliptic.Curve, point []byte) crypto.PublicKey {
	if len(point) > 0 && point[0] != 4 {
		x, y := elliptic.UnmarshalCompressed(curve, point)
		if x == nil {
			return nil
		}
		size := (curve.Params().BitSize + 7) / 8
		point = append(make([]byte, 0, 1+2*size), 4)
		point = append(point, x.FillBytes(make([]byte, size))...)
		point = append(point, y.FillBytes(make([]byte, size))...)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil
	}
	return pub
}

// readCurve reads the parameters of an elliptic curve: a name, or all of it written out
// (SEC 1 C.2), which is accepted of a curve that has a name and in every number alone.
func readCurve(s cryptobyte.String) elliptic.Curve {
	curves := []struct {
		oid   encoding_asn1.ObjectIdentifier
		curve elliptic.Curve
	}{{oidP256, elliptic.P256()}, {oidP384, elliptic.P384()}, {oidP521, elliptic.P521()}}
	if s.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) {
		var oid encoding_asn1.ObjectIdentifier
		if !s.ReadASN1ObjectIdentifier(&oid) {
			return nil
		}
		for _, c := range curves {
			if oid.Equal(c.oid) {
				return c.curve
			}
		}
		return nil
	}
	var params, field, ab cryptobyte.String
	var kind encoding_asn1.ObjectIdentifier
	var a, b, g []byte
	p, n := new(big.Int), new(big.Int)
	if !s.ReadASN1(&params, asn1.SEQUENCE) || !params.SkipASN1(asn1.INTEGER) ||
		!params.ReadASN1(&field, asn1.SEQUENCE) || !field.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidPrime) || !field.ReadASN1Integer(p) ||
		!params.ReadASN1(&ab, asn1.SEQUENCE) || !ab.ReadASN1Bytes(&a, asn1.OCTET_STRING) || !ab.ReadASN1Bytes(&b, asn1.OCTET_STRING) ||
		!params.ReadASN1Bytes(&g, asn1.OCTET_STRING) || !params.ReadASN1Integer(n) {
		return nil
	}
	for _, c := range curves {
		q := c.curve.Params()
		size := (q.BitSize + 7) / 8
		minus3 := new(big.Int).Sub(q.P, big.NewInt(3))
		if p.Cmp(q.P) != 0 || n.Cmp(q.N) != 0 || new(big.Int).SetBytes(a).Cmp(minus3) != 0 || new(big.Int).SetBytes(b).Cmp(q.B) != 0 ||
			len(g) < 1+size || new(big.Int).SetBytes(g[1:1+size]).Cmp(q.Gx) != 0 {
			continue
		}
		odd := byte(q.Gy.Bit(0))
		if g[0] == 2+odd && len(g) == 1+size || g[0] == 4 && len(g) == 1+2*size && new(big.Int).SetBytes(g[1+size:]).Cmp(q.Gy) == 0 {
			return c.curve
		}
	}
	return nil
}

// IssuedBy reports whether an authority's key made the signature of a certificate, and
// the names agree. It looks at one step; validity and usage are the caller's matter.
func (c *Certificate) IssuedBy(authority *Certificate) bool {
	if string(c.IssuerName) != string(authority.SubjectName) {
		return false
	}
	cert, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return false
	}
	signer := &x509.Certificate{PublicKey: authority.Public}
	switch authority.Public.(type) {
	case *ecdsa.PublicKey:
		signer.PublicKeyAlgorithm = x509.ECDSA
	case *rsa.PublicKey:
		signer.PublicKeyAlgorithm = x509.RSA
	}
	return signer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// keyIDs returns the key ids of a certificate that an authority issued, as it is encoded by
// the rules and, of ECDSA, with the other signature that is as good (s' = n − s). Neither
// needs the authority's key: whoever holds a certificate that was taken back can write it
// so that its hash is another.
func (c *Certificate) keyIDs(authority *Certificate) (ids [][]byte) {
	cert, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return nil
	}
	in := cryptobyte.String(c.DER)
	var outer, tbs, algorithm cryptobyte.String
	if !in.ReadASN1(&outer, asn1.SEQUENCE) || !outer.ReadASN1Element(&tbs, asn1.SEQUENCE) || !outer.ReadASN1Element(&algorithm, asn1.SEQUENCE) {
		return nil
	}
	add := func(signature []byte) {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddBytes(algorithm)
			b.AddASN1BitString(signature)
		})
		if der, err := b.Bytes(); err == nil {
			ids = append(ids, (&Certificate{DER: der}).KeyID())
		}
	}
	add(cert.Signature)
	pub, ok := authority.Public.(*ecdsa.PublicKey)
	sig, pair := cryptobyte.String(cert.Signature), cryptobyte.String(nil)
	r, s := new(big.Int), new(big.Int)
	if !ok || !sig.ReadASN1(&pair, asn1.SEQUENCE) || !pair.ReadASN1Integer(r) || !pair.ReadASN1Integer(s) {
		return ids
	}
	s.Sub(pub.Curve.Params().N, s)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	if twin, err := b.Bytes(); err == nil {
		add(twin)
	}
	return ids
}

// spki returns the content of a SubjectPublicKeyInfo that stands alone, nil for none.
func spki(der []byte) cryptobyte.String {
	in := cryptobyte.String(der)
	var content cryptobyte.String
	if !in.ReadASN1(&content, asn1.SEQUENCE) || !in.Empty() {
		return nil
	}
	return content
}
