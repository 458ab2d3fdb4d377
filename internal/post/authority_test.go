// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/problem"
)

func TestAuthority(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	made, err := NewAuthority(dir, "Darwaza post A", []string{"gate.example", "127.0.0.1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.Fingerprint() != made.Fingerprint() || len(a.Fingerprint()) != 32*3-1 {
		t.Errorf("fingerprints %s and %s", a.Fingerprint(), made.Fingerprint())
	}
	info, err := os.Stat(filepath.Join(dir, authorityKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file %v, %v", info.Mode(), err)
	}

	conf, err := a.Server([]string{"127.0.0.1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	srv.TLS = conf
	srv.StartTLS()
	defer srv.Close()
	// httptest puts its own certificate first; ours answers by GetCertificate.
	srv.TLS.Certificates = nil
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.Pool()}}}
	res, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}}
	if _, err := stranger.Get(srv.URL); err == nil {
		t.Error("a browser that does not know the authority accepts it")
	}
}

func TestAuthorityCoversNoOtherName(t *testing.T) {
	dir := t.TempDir()
	a, err := NewAuthority(dir, "post", []string{"gate.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.example", "10.0.0.1"} {
		_, err := a.Certificate([]string{name}, time.Now())
		if problem.KindOf(err) != problem.Invalid || !strings.Contains(err.Error(), "--authority-only") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Certificate([]string{"gate.example"}, time.Now()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "-a.example", "a b", "a..b", strings.Repeat("a", 64)} {
		if _, err := NewAuthority(dir, "post", []string{name}, time.Now()); err == nil {
			t.Errorf("%q passes for a name", name)
		}
	}
	if _, err := OpenAuthority(t.TempDir()); problem.KindOf(err) != problem.NotFound {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	a, err := NewAuthority(t.TempDir(), "post", []string{"gate.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	serial := func(at time.Time) string {
		c, err := a.Certificate([]string{"gate.example"}, at)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Leaf.NotAfter.After(at) {
			t.Errorf("ends at %v, asked at %v", c.Leaf.NotAfter, at)
		}
		return c.Leaf.SerialNumber.String()
	}
	first := serial(now)
	if serial(now.Add(59*24*time.Hour)) != first {
		t.Error("renewed too early")
	}
	if serial(now.Add(61*24*time.Hour)) == first {
		t.Error("not renewed")
	}
}
