// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"darwaza.dev/internal/picture"
	"rsc.io/qr"
)

const hcertVectors = "../../../shared/vectors/hcert/"

func runTest(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(context.Background(), console{strings.NewReader(""), &out, &errs}, args)
	if status != 0 {
		t.Logf("%q: %s", args, errs.String())
	}
	return out.String(), status
}

// TestConformanceDCC misses nothing of the European test data, and says what it misses of
// a vector that expects what is not so.
func TestConformanceDCC(t *testing.T) {
	dir := hcertVectors + "dgc-testdata"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the test data is not there: %v", err)
	}
	out, status := runTest(t, "conformance", "dcc", dir, "--json")
	var s struct {
		Missed bool
		Checks []struct {
			Check        string
			Right, Total int
		}
		Apart []struct{ File string }
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	totals := map[string]int{}
	for _, c := range s.Checks {
		totals[c.Check] = c.Total
		if c.Right != c.Total {
			t.Errorf("%s: %d of %d", c.Check, c.Right, c.Total)
		}
	}
	if status != 0 || s.Missed || len(s.Apart) > 0 || totals["decode"]+totals["verify"] < 500 || totals["expiry"] < 200 || totals["key usage"] < 150 || totals["picture"] < 200 {
		t.Errorf("status %d, %v, apart %v", status, totals, s.Apart)
	}
	tmp := t.TempDir()
	wrong := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" || wrong == 20 {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(`"EXPECTEDVERIFY": true`)) {
			wrong++
			b = bytes.ReplaceAll(b, []byte(`"EXPECTEDVERIFY": true`), []byte(`"EXPECTEDVERIFY": false`))
			return os.WriteFile(filepath.Join(tmp, fmt.Sprint(wrong, ".json")), b, 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out, status = runTest(t, "conformance", "dcc", tmp)
	if status == 0 || strings.Count(out, "missed ") != wrong || !strings.Contains(out, "verify             0 of 20") || !strings.Contains(out, "missed 7.json: want no, got yes") {
		t.Errorf("status %d, %s", status, out)
	}
}

// TestConformanceQA reads the pictures of the states, of which each signature by a known key
// holds; with the keys of another folder none is known, and no picture is lost silently.
func TestConformanceQA(t *testing.T) {
	dir := hcertVectors + "qa"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the pictures are not there: %v", err)
	}
	out, status := runTest(t, "conformance", "qa", dir)
	if status != 0 || strings.Contains(out, "missed ") || strings.Count(out, "apart ") > 3 || !strings.Contains(out, "signature          24") && !strings.Contains(out, "signature          23") {
		t.Errorf("status %d\n%s", status, out)
	}
	one := hcertVectors + "qa/AT"
	out, status = runTest(t, "conformance", "qa", one, "--trust", "../../../shared/vectors/gdhcn/dev/did.json")
	if status != 0 || !strings.Contains(out, "its key is in no list: ") || strings.Contains(out, "signature") {
		t.Errorf("status %d\n%s", status, out)
	}
	// A key under another's name: every signature fails, and the status says so.
	keys := t.TempDir()
	b, err := os.ReadFile(hcertVectors + "keys/eu/%2B0bA3TshFPE%3D.pem")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "mlmZUjXij0o%3D.pem"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, status = runTest(t, "conformance", "qa", one, "--trust", keys); status == 0 || !strings.Contains(out, "want holds, got proof.") {
		t.Errorf("status %d\n%s", status, out)
	}
}

// TestPicture reads a code as drawn, tight, in negative, turned and as a photograph might
// have it, and says of a picture of none that it is none.
func TestPicture(t *testing.T) {
	want := "HC1:" + strings.Repeat("6BFOXN%TSMAHN-HXN4", 20)
	code, err := qr.Encode(want, qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(scale, edge int, dark, light uint8, turned bool) []byte {
		n := code.Size*scale + 2*edge
		img := image.NewGray(image.Rect(0, 0, n, n))
		for y := range n {
			for x := range n {
				v := light
				if code.Black((x-edge)/scale, (y-edge)/scale) && x >= edge && y >= edge {
					v = dark
				}
				if turned {
					img.SetGray(n-1-y, x, color.Gray{Y: v})
				} else {
					img.SetGray(x, y, color.Gray{Y: v})
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, b := range map[string][]byte{
		"drawn": draw(4, 16, 0, 255, false), "no margin": draw(4, 0, 0, 255, false), "a point each": draw(1, 0, 0, 255, false), "negative": draw(4, 16, 255, 0, false),
		"turned": draw(4, 16, 0, 255, true), "pale": draw(5, 20, 90, 160, false), "large": draw(20, 80, 0, 255, false),
	} {
		if got, err := picture.Text(b, picture.MaxPixels); got != want {
			t.Errorf("%s: %.20q, %v", name, got, err)
		}
	}
	for name, b := range map[string][]byte{"blank": draw(1, 0, 255, 255, false), "none": nil, "cut": draw(4, 16, 0, 255, false)[:200]} {
		if got, err := picture.Text(b, picture.MaxPixels); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	huge, _ := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAw1AAAMNQCAAAAAC3")
	if _, err := picture.Text(append(huge, make([]byte, 40)...), picture.MaxPixels); err == nil {
		t.Error("a picture of 2.5 thousand million points")
	}
}

// TestVerifyCommand takes a code as text, as a file, as a picture and from the standard
// input, and its status and its JSON say whether it is genuine.
func TestVerifyCommand(t *testing.T) {
	vector := hcertVectors + "qa/AT/1.3.0/VAC.png"
	if _, err := os.Stat(vector); err != nil {
		t.Skipf("the pictures are not there: %v", err)
	}
	keys, at := hcertVectors+"keys", "2022-03-01T00:00:00Z"
	b, err := os.ReadFile(vector)
	if err != nil {
		t.Fatal(err)
	}
	text, err := picture.Text(b, picture.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "code.txt")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		Genuine bool     `json:"genuine"`
		Format  string   `json:"format"`
		Reasons []string `json:"reasons"`
	}
	ask := func(args ...string) (a answer, status int) {
		out, status := runTest(t, append([]string{"verify", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
		if a.Reasons == nil {
			t.Errorf("%q: reasons are null", args)
		}
		return a, status
	}
	for _, code := range []string{text, file, vector} {
		if a, status := ask(code, "--trust", keys, "--at", at); !a.Genuine || status != 0 || a.Format != "dcc" || len(a.Reasons) != 0 {
			t.Errorf("%.20q: %+v, status %d", code, a, status)
		}
	}
	for reason, args := range map[string][]string{
		"proof.time.expired":    {text, "--trust", keys, "--at", "2029-03-01T00:00:00Z"},
		"proof.time.early":      {text, "--trust", keys, "--at", "2021-03-01T00:00:00+01:00"},
		"proof.key.unknown":     {text, "--trust", "../../../shared/vectors/gdhcn/dev/did.json", "--at", at},
		"proof.list.missing":    {text, "--at", at},
		"proof.form.unreadable": {text[:100], "--trust", keys},
		"proof.form.unknown":    {"hello world", "--trust", keys},
	} {
		if a, status := ask(args...); a.Genuine || status == 0 || !strings.Contains(strings.Join(a.Reasons, " "), reason) {
			t.Errorf("%s: %+v, status %d", reason, a, status)
		}
	}
	for _, args := range [][]string{{}, {"a", "b"}, {"nosuchfile.txt"}, {text, "--at", "yesterday"}, {text, "--trust", "nosuchfile"}, {text, "--trust", file}} {
		if out, status := runTest(t, append([]string{"verify"}, args...)...); status == 0 || out != "" {
			t.Errorf("%q: status %d, %s", args, status, out)
		}
	}
	// Without --json the reasons are told in words, with what to do next.
	out, status := runTest(t, "verify", text, "--trust", keys, "--at", "2029-03-01T00:00:00Z")
	if want := "  reason    The certificate is no longer valid. (proof.time.expired)\n  next      Ask for a newer certificate, "; status == 0 || !strings.Contains(out, want) ||
		!strings.Contains(out, "  note      There is no list here that says whether the certificate was revoked. (proof.revocation.missing)\n  next      Go on. ") {
		t.Errorf("status %d: %s", status, out)
	}
	out, status = runTest(t, "verify", text, "--trust", keys, "--at", at)
	if status != 0 || !strings.HasPrefix(out, "EU digital COVID certificate (HCERT): genuine\n") || !strings.Contains(out, "dose 3 of 3") {
		t.Errorf("status %d: %s", status, out)
	}
}
