// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"crypto/tls"
	"net"
	"time"

	"darwaza.dev/internal/problem"
)

// Listen opens a configuration's address and returns the listener with the address
// that browsers use: over TLS, unless the configuration says otherwise.
func Listen(c *Config, clock func() time.Time) (net.Listener, string, error) {
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, "", problem.Newf(problem.Conflict, "listen", "cannot listen on %s (%w): another server may be running there; listen names the address in the configuration", c.Listen, err)
	}
	host, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		ln.Close()
		return nil, "", problem.Wrap(problem.Internal, "listen", err)
	}
	if c.HTTP {
		return ln, "http://" + net.JoinHostPort(host, port), nil
	}
	conf, name, err := serverTLS(c, clock)
	if err != nil {
		ln.Close()
		return nil, "", err
	}
	if name == "" {
		name = host
	}
	return tls.NewListener(ln, conf), "https://" + net.JoinHostPort(name, port), nil
}

// serverTLS returns the TLS settings and the first name that the certificate bears.
func serverTLS(c *Config, clock func() time.Time) (*tls.Config, string, error) {
	name := ""
	if len(c.Names) > 0 {
		name = c.Names[0]
	}
	if c.Certificate == "" {
		a, err := OpenAuthority(c.Keys)
		if err != nil {
			return nil, "", err
		}
		conf, err := a.Server(c.Names, clock)
		if err != nil {
			return nil, "", err
		}
		conf.NextProtos = []string{"http/1.1"}
		return conf, name, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.CertificateKey)
	if err != nil {
		return nil, "", problem.Newf(problem.Invalid, "certificate.file", "the certificate %s and its key cannot be read: %w", c.Certificate, err)
	}
	if now := clock(); now.After(pair.Leaf.NotAfter) {
		return nil, "", problem.Newf(problem.Untrusted, "certificate.ended", "the certificate %s ended on %s; get a new one, or leave certificate empty for the post's own", c.Certificate, pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}, name, nil
}
