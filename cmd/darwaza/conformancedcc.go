// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/picture"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/proof/trust"
)

// dccVector is one file of the European test data (dgc-testdata).
type dccVector struct {
	CBOR, COSE, COMPRESSED, BASE45, PREFIX string
	Picture                                string `json:"2DCODE"`
	TESTCTX                                struct{ CERTIFICATE, VALIDATIONCLOCK string }
	EXPECTEDRESULTS                        map[string]json.RawMessage
}

// scoreDCC scores a folder of such files. Expectations on schemas are left out: most of
// them are against one version, and a certificate is not refused for its version.
func scoreDCC(dir string) (*vectorSuite, error) {
	s := &vectorSuite{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.EqualFold(filepath.Ext(path), ".json") {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		b, err := readBounded(path, maxVector)
		if err != nil {
			return err
		}
		var v dccVector
		if json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &v) != nil || v.EXPECTEDRESULTS == nil {
			return nil // a schema, a value set
		}
		scoreDCCVector(s, filepath.ToSlash(name), &v)
		return nil
	})
	if err == nil && len(s.Checks) == 0 && len(s.Apart) == 0 {
		err = errors.New("no vectors of the European test data in the folder")
	}
	return s, err
}

func truth(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func scoreDCCVector(s *vectorSuite, name string, v *dccVector) {
	expect := func(key string) (bool, bool) {
		var want bool
		raw, ok := v.EXPECTEDRESULTS[key]
		return want, ok && json.Unmarshal(raw, &want) == nil
	}
	score := func(check, key string, got func() bool) {
		if want, ok := expect(key); ok {
			s.score(check, name, truth(want), truth(got()))
		}
	}
	score("prefix", "EXPECTEDUNPREFIX", func() bool { return strings.HasPrefix(v.PREFIX, hcert.Prefix) })
	score("base45", "EXPECTEDB45DECODE", func() bool {
		text := v.BASE45
		if text == "" {
			text = strings.TrimPrefix(v.PREFIX, hcert.Prefix)
		}
		_, err := cose.DecodeBase45(text)
		return err == nil
	})
	score("compression", "EXPECTEDCOMPRESSION", func() bool {
		text := v.PREFIX
		if b, err := hex.DecodeString(v.COMPRESSED); err == nil && len(b) > 0 {
			text = hcert.Prefix + cose.EncodeBase45(b)
		}
		_, fault := hcert.Unpack(text)
		return fault == ""
	})
	if want, ok := expect("EXPECTEDPICTUREDECODE"); ok && v.Picture != "" {
		scoreDCCPicture(s, name, v, want)
	}

	doc, fault := dccDocument(v)
	score("decode", "EXPECTEDDECODE", func() bool { return fault == "" })
	_, verifies := expect("EXPECTEDVERIFY")
	_, expires := expect("EXPECTEDEXPIRATIONCHECK")
	_, uses := expect("EXPECTEDKEYUSAGE")
	if !verifies && !expires && !uses {
		return
	}
	var r proof.Result
	if doc != nil {
		list := trust.NewList(name, time.Time{})
		if der, err := base64.StdEncoding.DecodeString(v.TESTCTX.CERTIFICATE); err == nil {
			if cert, err := trust.ParseCertificate(der); err == nil {
				list.AddCertificate(nil, "", cert)
			}
		}
		at := doc.Claims.IssuedAt.Add(24 * time.Hour)
		if d, err := proof.ParseDate(v.TESTCTX.VALIDATIONCLOCK); err == nil {
			at, _ = d.First(time.UTC)
		}
		r = doc.Verify(at, trust.NewStore(trust.Limits{}, list), nil)
	}
	has := func(f proof.Fault) bool { return slices.Contains(r.Faults, f) }
	score("verify", "EXPECTEDVERIFY", func() bool { return r.Checked })
	score("expiry", "EXPECTEDEXPIRATIONCHECK", func() bool { return doc != nil && !has(proof.Early) && !has(proof.Expired) })
	score("key usage", "EXPECTEDKEYUSAGE", func() bool { return r.Checked && !has(proof.KeyUsage) })
}

// dccDocument reads a vector from the outermost form that it has.
func dccDocument(v *dccVector) (*hcert.Document, proof.Fault) {
	switch {
	case v.PREFIX != "":
		return hcert.Parse(v.PREFIX)
	case v.BASE45 != "":
		return hcert.Parse(hcert.Prefix + v.BASE45)
	}
	if b, err := hex.DecodeString(v.COMPRESSED); err == nil && len(b) > 0 {
		return hcert.Parse(hcert.Prefix + cose.EncodeBase45(b))
	}
	b, err := hex.DecodeString(v.COSE)
	if err != nil || len(b) == 0 {
		return nil, proof.Unreadable
	}
	return hcert.ParseMessage(b)
}

func scoreDCCPicture(s *vectorSuite, name string, v *dccVector, want bool) {
	b, err := base64.StdEncoding.DecodeString(v.Picture)
	if err != nil {
		b = nil
	}
	text, err := picture.Text(b, picture.MaxPixels)
	read := err == nil && (v.PREFIX == "" || text == v.PREFIX)
	if want && err != nil {
		s.apart(name, "no code could be read in its picture")
		return
	}
	s.score("picture", name, truth(want), truth(read))
}

// scoreQA scores a folder of pictures of certificates by the keys at hand: each signature
// whose key is known must hold, at a day after the certificate was issued, or at a time
// that is given. Pictures in which no code can be read, and certificates of keys that are
// not known, are set apart.
func scoreQA(dir string, keys proof.Keys, at time.Time) (*vectorSuite, error) {
	s := &vectorSuite{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".png", ".jpg", ".jpeg", ".gif":
		default:
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		name := filepath.ToSlash(rel)
		b, err := readBounded(path, maxInput)
		if err != nil {
			return err
		}
		text, err := picture.Text(b, picture.MaxPixels)
		if err != nil {
			s.apart(name, "no code could be read in the picture")
			return nil
		}
		doc, fault := hcert.Parse(text)
		if fault == proof.NotProof {
			s.apart(name, "the code in the picture is no health certificate")
			return nil
		}
		s.score("decode", name, "read", orWord(string(fault), "read"))
		if fault != "" {
			return nil
		}
		when := at
		if when.IsZero() {
			when = doc.Claims.IssuedAt.Add(24 * time.Hour)
		}
		r := doc.Verify(when, keys, nil)
		if slices.Contains(r.Faults, proof.KeyUnknown) || slices.Contains(r.Faults, proof.ListMissing) {
			s.apart(name, "its key is in no list: "+base64.StdEncoding.EncodeToString(r.KeyID))
			return nil
		}
		got := "holds"
		if !r.Checked {
			got = string(slices.Concat(r.Faults, []proof.Fault{""})[0])
		}
		s.score("signature", name, "holds", got)
		return nil
	})
	if err == nil && len(s.Checks) == 0 && len(s.Apart) == 0 {
		err = problem.Newf(problem.NotFound, "vectors", "no pictures in %s", dir)
	}
	return s, err
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// qaTrust returns what --trust names, or else the folder "keys" beside the pictures.
func qaTrust(dir string, trusted []string) ([]string, error) {
	if len(trusted) > 0 {
		return trusted, nil
	}
	for _, beside := range []string{filepath.Join(dir, "keys"), filepath.Join(filepath.Dir(filepath.Clean(dir)), "keys")} {
		if info, err := os.Stat(beside); err == nil && info.IsDir() {
			return []string{beside}, nil
		}
	}
	return nil, wrong("want --trust, or a folder called keys beside the pictures")
}
