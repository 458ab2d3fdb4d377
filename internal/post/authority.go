// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"darwaza.dev/internal/problem"
)

// Files of the post's certificate authority in the keys' folder.
const (
	authorityFile    = "authority.pem"
	authorityKeyFile = "authority-key.pem"
)

const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 90 * 24 * time.Hour
	// certificateRenew is how long before its end a certificate is replaced.
	certificateRenew = 30 * 24 * time.Hour
)

// Authority is the post's own certificate authority. Tablets trust it, so it is bound
// to the post's names: whoever stole its key could pretend to be nobody else.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu   sync.Mutex
	leaf *tls.Certificate // the newest certificate of the server
	ends time.Time        // of leaf
}

// NewAuthority makes a certificate authority for names and addresses and saves it in
// the keys' folder, in place of an older one.
func NewAuthority(dir, name string, names []string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "authority.make", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	dns, ips, err := splitNames(names)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber:                serial,
		Subject:                     pkix.Name{CommonName: name},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(authorityLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         dns,
	}
	for _, ip := range ips {
		bits := 8 * len(ip)
		t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	// A kind of name with nothing permitted would be wholly free; these permit nothing real.
	if len(dns) == 0 {
		t.PermittedDNSDomains = []string{"invalid"}
	}
	if len(ips) == 0 {
		t.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(192, 0, 2, 0).To4(), Mask: net.CIDRMask(32, 32)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "authority.make", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "authority.make", err)
	}
	if err := writePrivate(filepath.Join(dir, authorityKeyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})); err != nil {
		return nil, err
	}
	if err := writePublic(filepath.Join(dir, authorityFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		return nil, err
	}
	return OpenAuthority(dir)
}

// OpenAuthority loads the authority from the keys' folder.
func OpenAuthority(dir string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, authorityFile), filepath.Join(dir, authorityKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Newf(problem.NotFound, "authority.file", "%s holds no certificate authority (%s and %s): darwaza init --authority-only makes a new one, or name a certificate in the configuration", dir, authorityFile, authorityKeyFile)
	}
	if err != nil {
		return nil, problem.Newf(problem.Invalid, "authority.file", "the certificate authority in %s cannot be read: %w", dir, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, problem.Newf(problem.Invalid, "authority.file", "%s is no certificate authority of a post", filepath.Join(dir, authorityFile))
	}
	return &Authority{cert: pair.Leaf, key: key}, nil
}

// Fingerprint returns the SHA-256 of the authority's certificate as pairs of hex
// digits: to be compared on a tablet before it is trusted.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var pairs []string
	for i := 0; i < len(text); i += 2 {
		pairs = append(pairs, text[i:i+2])
	}
	return strings.Join(pairs, ":")
}

// Pool returns the authority as the only one to trust.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Certificate returns a server certificate for the names, made anew where the last one
// nears its end.
func (a *Authority) Certificate(names []string, now time.Time) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.leaf != nil && now.Before(a.ends.Add(-certificateRenew)) {
		return a.leaf, nil
	}
	dns, ips, err := splitNames(names)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "certificate.make", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[0]},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     dns,
		IPAddresses:  ips,
	}
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "certificate.make", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "certificate.make", err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now}); err != nil {
		return nil, problem.Newf(problem.Invalid, "certificate.names", "the post's certificate authority does not cover %s (%w): darwaza init --authority-only makes a new one, which the tablets must then install", strings.Join(names, ", "), err)
	}
	a.leaf = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
	a.ends = leaf.NotAfter
	return a.leaf, nil
}

// Server returns the TLS settings of a server under the names.
func (a *Authority) Server(names []string, clock func() time.Time) (*tls.Config, error) {
	if _, err := a.Certificate(names, clock()); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.Certificate(names, clock())
		},
	}, nil
}

// splitNames tells host names from addresses.
func splitNames(names []string) (dns []string, ips []net.IP, err error) {
	for _, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		if ip := net.ParseIP(n); ip != nil {
			if v4 := ip.To4(); v4 != nil {
				ip = v4
			}
			ips = append(ips, ip)
			continue
		}
		if !hostName(n) {
			return nil, nil, problem.Newf(problem.Invalid, "certificate.names", "%q is neither a host name nor an address", n)
		}
		if !slices.Contains(dns, n) {
			dns = append(dns, n)
		}
	}
	if len(dns)+len(ips) == 0 {
		return nil, nil, problem.Newf(problem.Invalid, "certificate.names", "a certificate needs a name or an address")
	}
	return dns, ips, nil
}

// hostName reports whether s is a host name by RFC 1123.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "certificate.make", err)
	}
	return n, nil
}

// writePrivate writes a file that only its owner may read, whole or not at all.
func writePrivate(name string, data []byte) error { return writeFile(name, data, 0o600) }

// writePublic writes a file that everybody may read, whole or not at all.
func writePublic(name string, data []byte) error { return writeFile(name, data, 0o644) }

func writeFile(name string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return problem.Wrap(problem.Internal, "file.write", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = problem.Wrap(problem.Internal, "file.write", err)
		}
	}()
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes a rename in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
