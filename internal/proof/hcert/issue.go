// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/ecdsa"
	"fmt"
	"slices"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/identity"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
)

// Version is the version of the EU's schema that Issue writes.
const Version = "1.3.0"

// Issue returns the certificate of one test or dose, the text for a QR code, signed by a
// key under its id of eight bytes. It is the EU's payload, which every reader of HCERTs
// knows, for any disease that has a code.
//
// The claims need Issuer (two letters), IssuedAt, Until after it, ID, and the holder's
// name in the letters of a travel document; of their events there is one, with its
// country, issuer, day and, of a test, its time and result. Format, Country and From are
// not looked at. The problem is Invalid and names what is missing.
func Issue(priv *ecdsa.PrivateKey, keyID []byte, c *proof.Claims) (string, error) {
	payload, err := encode(c)
	if err != nil {
		return "", err
	}
	if len(keyID) != 8 {
		return "", problem.Field("key", "proof.issue")
	}
	msg, err := cose.Sign1(priv, cose.Header{Alg: cose.ES256, KeyID: keyID}, payload, nil)
	if err != nil {
		return "", fmt.Errorf("hcert: %w", err)
	}
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		return "", fmt.Errorf("hcert: %w", err)
	}
	if _, err := z.Write(msg); err != nil {
		return "", fmt.Errorf("hcert: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("hcert: %w", err)
	}
	return Prefix + cose.EncodeBase45(packed.Bytes()), nil
}

// A field is one pair of a map: a text, or a number where the text is empty.
type field struct {
	key, text string
	number    int
}

func encode(c *proof.Claims) ([]byte, error) {
	missing := func(field string) ([]byte, error) { return nil, problem.Field(field, "proof.issue") }
	h := &c.Holder
	switch {
	case len(c.Issuer) != 2 || country(c.Issuer) == "":
		return missing("issuer")
	case c.IssuedAt.IsZero() || c.IssuedAt.Unix() <= 0:
		return missing("issuedAt")
	case !c.Until.After(c.IssuedAt):
		return missing("until")
	case h.FamilyICAO == "" && h.GivenICAO == "":
		return missing("name")
	case len(c.Events) != 1:
		return missing("events")
	}
	e := &c.Events[0]
	on, dated := e.On.Date()
	alpha2, ok := identity.Alpha2(e.Country)
	switch {
	case c.ID == "":
		return missing("id")
	case e.Disease.Code() == "":
		return missing("disease")
	case !ok:
		return missing("country")
	case e.Issuer == "":
		return missing("eventIssuer")
	case !dated:
		return missing("on")
	}
	var kind string
	fields := []field{{"ci", c.ID, 0}, {"co", alpha2, 0}, {"is", e.Issuer, 0}, {"tg", e.Disease.Code(), 0}}
	switch e.Kind {
	case proof.Vaccination:
		if e.Dose < 1 || e.Of < 1 || e.Product.Value == "" {
			return missing("dose")
		}
		kind = "v"
		fields = append(fields, field{"dn", "", e.Dose}, field{"sd", "", e.Of}, field{"dt", on.String(), 0}, field{"mp", e.Product.Value, 0},
			field{"vp", e.Type.Value, 0}, field{"ma", e.Manufacturer.Value, 0})
	case proof.Test:
		kind = "t"
		tt := map[proof.TestKind]string{proof.NAAT: "LP6464-4", proof.Antigen: "LP217198-3"}[e.TestKind]
		tr := map[proof.TestResult]string{proof.Positive: "260373001", proof.Negative: "260415000", proof.Inconclusive: "419984006"}[e.Result]
		at, _ := e.On.First(time.UTC)
		if tt == "" || tr == "" || e.On.Precision != proof.Second || !e.On.HasOffset {
			return missing("test")
		}
		fields = append(fields, field{"sc", at.Format(time.RFC3339), 0}, field{"tr", tr, 0}, field{"tt", tt, 0}, field{"tc", e.Place, 0},
			field{"ma", e.TestDevice.Value, 0}, field{"nm", e.TestDevice.Text, 0})
	default:
		return missing("kind")
	}
	event := appendFields(nil, fields)
	names := appendFields(nil, []field{{"fn", h.Family, 0}, {"gn", h.Given, 0}, {"fnt", h.FamilyICAO, 0}, {"gnt", h.GivenICAO, 0}})

	b := cose.AppendMap(nil, 4)
	b = cose.AppendText(cose.AppendUint(b, claimIssuer), c.Issuer)
	b = cose.AppendInt(cose.AppendUint(b, claimExpires), c.Until.Unix())
	b = cose.AppendInt(cose.AppendUint(b, claimIssued), c.IssuedAt.Unix())
	b = cose.AppendMap(cose.AppendInt(b, claimHealth), 1)
	b = cose.AppendMap(cose.AppendUint(b, subDCC), 4)
	b = cose.AppendArray(cose.AppendText(b, kind), 1)
	b = append(b, event...)
	b = cose.AppendText(cose.AppendText(b, "dob"), birthText(h.Birth))
	b = append(cose.AppendText(b, "nam"), names...)
	return cose.AppendText(cose.AppendText(b, "ver"), Version), nil
}

// birthText writes a date of birth as far as it is known.
func birthText(d identity.PartialDate) string {
	switch {
	case d.Year == 0:
		return ""
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// appendFields appends a map of the fields that say something, in the order of their
// encoded keys (RFC 8949 section 4.2.1): the shorter first, and then by bytes.
func appendFields(b []byte, fields []field) []byte {
	var said []field
	for _, f := range fields {
		if f.text != "" || f.number != 0 {
			said = append(said, f)
		}
	}
	slices.SortFunc(said, func(x, y field) int {
		return cmp.Or(cmp.Compare(len(x.key), len(y.key)), cmp.Compare(x.key, y.key))
	})
	b = cose.AppendMap(b, len(said))
	for _, f := range said {
		b = cose.AppendText(b, f.key)
		if f.text != "" {
			b = cose.AppendText(b, f.text)
		} else {
			b = cose.AppendInt(b, int64(f.number))
		}
	}
	return b
}
