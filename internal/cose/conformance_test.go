// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dgc is a file of the European test data, as far as it concerns this package.
type dgc struct {
	COSE, BASE45, PREFIX string
	TESTCTX              struct{ CERTIFICATE, DESCRIPTION string }
	EXPECTEDRESULTS      struct{ EXPECTEDVERIFY, EXPECTEDB45DECODE *bool }
}

// verify does what the test data calls verifying: the key id is the certificate's, the
// signature is by its key, and what is signed is a CWT, a map.
func (d dgc) verify() bool {
	b, err := hex.DecodeString(d.COSE)
	if err != nil {
		return false
	}
	m, err := Parse(b)
	if err != nil {
		return false
	}
	der, err := base64.StdEncoding.DecodeString(d.TESTCTX.CERTIFICATE)
	if err != nil {
		return false
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	if id := sha256.Sum256(der); !bytes.Equal(m.KeyID, id[:8]) {
		return false
	}
	if p := NewReader(m.Payload); p.Major() != MajorMap {
		return false
	}
	switch pub := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return m.Verify(pub) == nil
	case *rsa.PublicKey:
		d := m.Digest()
		return m.Alg == PS256 && rsa.VerifyPSS(pub, crypto.SHA256, d[:], m.Signature, nil) == nil
	}
	return false
}

// TestHealthCertificates reads the European health certificates' test data, which lies
// beside the checkout where it is there at all.
func TestHealthCertificates(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "vectors", "hcert", "dgc-testdata")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the test data is not there: %v", err)
	}
	files, verified, decoded := 0, 0, 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var d dgc
		if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &d); err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		files++
		if want := d.EXPECTEDRESULTS.EXPECTEDVERIFY; want != nil && d.COSE != "" {
			verified++
			if got := d.verify(); got != *want {
				t.Errorf("%s (%s): verified is %v", path, d.TESTCTX.DESCRIPTION, got)
			}
		}
		if want := d.EXPECTEDRESULTS.EXPECTEDB45DECODE; want != nil {
			decoded++
			text, _ := strings.CutPrefix(d.PREFIX, "HC1:")
			_, err := DecodeBase45(text)
			if (err == nil) != *want {
				t.Errorf("%s (%s): Base45 of %.20q: %v", path, d.TESTCTX.DESCRIPTION, text, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d verified, %d decoded", files, verified, decoded)
	if verified == 0 || decoded == 0 {
		t.Error("nothing was looked at")
	}
}
