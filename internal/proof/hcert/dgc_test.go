// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/trust"
)

const vectors = "../../../../shared/vectors/"

// dgc is a file of the European test data, as far as it concerns this package.
type dgc struct {
	JSON, CBOR, COSE, PREFIX string
	TESTCTX                  struct{ CERTIFICATE, VALIDATIONCLOCK, DESCRIPTION string }
	EXPECTEDRESULTS          struct{ EXPECTEDDECODE, EXPECTEDVERIFY, EXPECTEDEXPIRATIONCHECK, EXPECTEDKEYUSAGE *bool }
}

// eachDGC calls f for each file of the test data, or skips.
func eachDGC(t testing.TB, f func(name string, d dgc)) {
	root := vectors + "hcert/dgc-testdata"
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the test data is not there: %v", err)
	}
	n := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b := must(os.ReadFile(path))
		var d struct {
			dgc
			JSON json.RawMessage
		}
		if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n++
		f(path[len(root)+1:], d.dgc)
		return nil
	})
	if err != nil || n < 100 {
		t.Fatalf("%d files: %v", n, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestHealthCertificates holds decoding, verification, validity and usage of keys against
// what the European test data expects of each.
func TestHealthCertificates(t *testing.T) {
	judged := map[string]int{}
	eachDGC(t, func(name string, d dgc) {
		want := d.EXPECTEDRESULTS
		doc, fault := Parse(d.PREFIX)
		hold := func(what string, want *bool, got bool) {
			if want == nil {
				return
			}
			judged[what]++
			if got != *want {
				t.Errorf("%s (%s): %s is %v, fault %q", name, d.TESTCTX.DESCRIPTION, what, got, fault)
			}
		}
		hold("decoded", want.EXPECTEDDECODE, fault == "")
		if want.EXPECTEDVERIFY == nil && want.EXPECTEDEXPIRATIONCHECK == nil && want.EXPECTEDKEYUSAGE == nil {
			return
		}
		cert, err := trust.ParseCertificate(must(base64.StdEncoding.DecodeString(d.TESTCTX.CERTIFICATE)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		l := trust.NewList("test", time.Time{})
		l.AddCertificate(nil, "", cert)
		var r proof.Result
		if doc != nil {
			at, _ := must(proof.ParseDate(d.TESTCTX.VALIDATIONCLOCK)).First(time.UTC)
			r = doc.Verify(at, trust.NewStore(trust.Limits{}, l), nil)
		}
		hold("verified", want.EXPECTEDVERIFY, r.Checked)
		hold("within its time", want.EXPECTEDEXPIRATIONCHECK, doc != nil && !slices.Contains(r.Faults, proof.Early) && !slices.Contains(r.Faults, proof.Expired))
		hold("signed for its use", want.EXPECTEDKEYUSAGE, r.Checked && !slices.Contains(r.Faults, proof.KeyUsage))
		if r.Genuine() && (!r.Checked || r.Key == nil || len(r.Hashes) < 3 || doc.Claims.Assurance != proof.Signed) {
			t.Errorf("%s: genuine and %+v", name, r)
		}
	})
	t.Log(judged)
}

// TestDecodesTheSame: the claims that are read of a certificate are those of the payload
// that the test data writes beside it, encoded by somebody else.
func TestDecodesTheSame(t *testing.T) {
	n := 0
	eachDGC(t, func(name string, d dgc) {
		doc, fault := Parse(d.PREFIX)
		if fault != "" || d.CBOR == "" || d.EXPECTEDRESULTS.EXPECTEDDECODE == nil || !*d.EXPECTEDRESULTS.EXPECTEDDECODE {
			return
		}
		b, err := hex.DecodeString(d.CBOR)
		if err != nil {
			return
		}
		var other Document
		if fault := other.payload(b, new(parser)); fault != "" { // the payload alone, and in some files the CWT
			other = Document{}
			if fault := other.payload(append([]byte{0xa2, 0x04, 0x01, 0x39, 0x01, 0x03, 0xa1, 0x01}, b...), new(parser)); fault != "" {
				t.Errorf("%s: what stands for the payload: %s", name, fault)
				return
			}
		}
		n++
		got, want := doc.Claims, other.Claims
		if got.Holder != want.Holder || !slices.Equal(got.Events, want.Events) || got.Version != want.Version || got.ID != want.ID {
			t.Errorf("%s: read differently", name)
		}
	})
	t.Logf("%d compared", n)
}
