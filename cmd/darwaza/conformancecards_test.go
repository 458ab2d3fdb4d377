// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/proof/vdsnc"
)

// published is the folder of published vectors, which is not part of the project.
func published(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "vectors", filepath.FromSlash(name))
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no vectors at %s", dir)
	}
	return dir
}

// conform runs the command and returns the score by kind of check.
func conform(t *testing.T, want int, args ...string) (map[string]vectorCheck, string) {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), console{strings.NewReader(""), &out, &errs}, append([]string{"conformance"}, append(args, "--json")...))
	if status != want {
		t.Fatalf("%v: status %d, want %d\n%s%s", args, status, want, out.String(), errs.String())
	}
	var told struct {
		Suite  string        `json:"suite"`
		Missed bool          `json:"missed"`
		Checks []vectorCheck `json:"checks"`
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &told); err != nil {
			t.Fatal(err)
		}
		if told.Missed != (status != 0) {
			t.Errorf("%v: missed is %v, status %d", args, told.Missed, status)
		}
	}
	checks := map[string]vectorCheck{}
	for _, c := range told.Checks {
		checks[c.Check] = c
	}
	return checks, out.String()
}

func TestConformanceSHC(t *testing.T) {
	dir := published(t, "shc")
	got, _ := conform(t, 0, "shc", dir)
	for check, want := range map[string]int{"keys": 1, "revocation lists": 1, "bundles": 6, "payloads": 11, "cards": 17, "codes": 4, "pictures": 1, "altered cards": 23} {
		if c := got[check]; c.Right != want || c.Total != want {
			t.Errorf("%s: %d of %d, want %d", check, c.Right, c.Total, want)
		}
	}
	// With the keys of --trust instead of those in the folder.
	jwks := filepath.Join(dir, "examples", "issuer", ".well-known", "jwks.json")
	if got, _ := conform(t, 0, "shc", "--trust", jwks, filepath.Join(dir, "dev-tools")); got["cards"].Total == 0 {
		t.Error("no card scored with --trust")
	}

	// Files that are not what their names say are missed, each by name.
	wrong := t.TempDir()
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(wrong, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	token := read("examples/example-00-d-jws.txt")
	put("example-00-d-jws.txt", another(token, 400))                                                                             // forged, and named as right
	put("test-example-00-d-jws-invalid-signature.txt", token)                                                                    // right, and named as forged
	put("test-example-00-b-jws-payload-expanded-nbf_milliseconds.json", read("examples/example-00-b-jws-payload-expanded.json")) // likewise
	put("example-01-f-qr-code-numeric-value-0.txt", read("examples/example-01-f-qr-code-numeric-value-0.txt"))
	got, text := conform(t, problem.Conflict.ExitStatus(), "shc", wrong, "--trust", jwks)
	if c := got["cards"]; c.Right != 0 || c.Total != 2 || len(c.Missed) != 2 {
		t.Errorf("cards: %d of %d", c.Right, c.Total)
	}
	if c := got["codes"]; c.Right != 1 || c.Total != 1 {
		t.Errorf("codes: %d of %d", c.Right, c.Total)
	}
	for _, name := range []string{"example-00-d-jws.txt", "invalid-signature.txt", "nbf_milliseconds.json"} {
		if !strings.Contains(text, name) {
			t.Errorf("%s is not named", name)
		}
	}
	if strings.Contains(text, "Anyperson") {
		t.Error("the score shows somebody's name")
	}
}

func TestConformanceVDSNC(t *testing.T) {
	dir := published(t, "vdsnc")
	got, _ := conform(t, 0, "vdsnc", dir)
	for _, check := range []string{"decode", "signature", "key usage", "altered seals"} {
		if c := got[check]; c.Right != 2 || c.Total != 2 {
			t.Errorf("%s: %d of %d", check, c.Right, c.Total)
		}
	}
	if _, ok := got["genuine"]; ok {
		t.Error("believed without --trust")
	}
	text, err := os.ReadFile(filepath.Join(dir, "single-vaccine.txt"))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := vdsnc.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(t.TempDir(), "signer.pem")
	if err := os.WriteFile(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: seal.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := conform(t, 0, "vdsnc", dir, "--trust", trust); got["genuine"].Right != 2 {
		t.Errorf("genuine: %d of %d", got["genuine"].Right, got["genuine"].Total)
	}
	// The signer ran out in March of 2026.
	if got, _ := conform(t, problem.Conflict.ExitStatus(), "vdsnc", dir, "--trust", trust, "--at", "2026-11-24T00:00:00Z"); got["genuine"].Right != 0 || got["genuine"].Total != 2 {
		t.Errorf("genuine after the end: %d of %d", got["genuine"].Right, got["genuine"].Total)
	}
	wrong := t.TempDir()
	for name, b := range map[string][]byte{"a.txt": bytes.Replace(text, []byte("Smith"), []byte("Smyth"), 1), "tampered.txt": text} {
		if err := os.WriteFile(filepath.Join(wrong, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, _ = conform(t, problem.Conflict.ExitStatus(), "vdsnc", wrong)
	if got["signature"].Right != 0 || got["wrong seals"].Right != 0 || got["wrong seals"].Total != 1 {
		t.Errorf("signature %d, wrong seals %d of %d", got["signature"].Right, got["wrong seals"].Right, got["wrong seals"].Total)
	}
}

func TestConformanceRefuses(t *testing.T) {
	empty := t.TempDir()
	for _, args := range [][]string{{}, {"shc"}, {"postcards", empty}, {"shc", empty}, {"dcc", empty}, {"vdsnc", empty}, {"vdsnc", empty, "--at", "noon"}, {"shc", empty, "--trust", empty}} {
		conform(t, problem.Invalid.ExitStatus(), args...)
	}
	conform(t, problem.NotFound.ExitStatus(), "vdsnc", empty, "--trust", filepath.Join(empty, "none"))
}
