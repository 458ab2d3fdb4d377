// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

// maxConfig is the most that a configuration may hold, in bytes.
const maxConfig = 1 << 20

// Config is the configuration of one post. The comments of its fields are the manual:
// init writes them into the file. Paths are taken from the file's own folder. A field
// that is not named here is an error, so that a typing mistake is not passed over.
//
// There is no field for the time: a post runs on the machine's clock.
type Config struct {
	// Side is the authority's side of the agreement, A or B.
	Side agreement.Side `yaml:"side"`
	// Agreements are the folders or bundles of editions, each signed by both sides and holding
	// the keys of both. Keep the old ones: what was decided under an edition is explained by it.
	// They may be of several agreements between the same two authorities: where a site is in
	// more than one, each answers and the strictest answer counts. A new folder is read when the
	// server starts.
	Agreements []string `yaml:"agreements"`
	// Database is a file of SQLite, or the address of a PostgreSQL database such as
	// postgres://darwaza@db.example/post. Several servers may share one PostgreSQL.
	Database string `yaml:"database"`
	// Keys is the folder of this side's private keys. Nobody but the server's user may read it.
	// Servers that share a database share this folder and the vault.
	Keys string `yaml:"keys"`
	// Vault is the folder of the keys of persons: each opens one person's data, and without it
	// the data are lost for good. Keep it on another disk than the database's backups, and
	// never in a backup: that is what makes deletion real.
	Vault string `yaml:"vault"`
	// Head is the file of the newest signed head of the record. It must lie outside of
	// whatever a restore puts back: it shows when an old copy was put in the place of a newer one.
	Head string `yaml:"head"`
	// Listen is where the server listens, host:port; an empty host is every address.
	Listen string `yaml:"listen"`
	// Names are the names and addresses by which browsers reach the server: its certificate
	// bears them. Cameras work only over HTTPS, or on the machine itself.
	Names []string `yaml:"names"`
	// HTTP is true to serve without TLS, which is only possible on a loopback address:
	// for a proxy on the same machine that has a certificate of its own.
	HTTP bool `yaml:"http"`
	// Proxy is a proxy before the server, where there is one. Wrong tries are counted by the
	// address that they come from, and through a proxy everybody seems to be the proxy.
	Proxy ProxyConfig `yaml:"proxy"`
	// Certificate and CertificateKey are PEM files of a certificate from elsewhere. Where
	// they are empty the server makes its own, from the post's certificate authority
	// (authority.pem in the keys' folder, which tablets install once), and renews it.
	Certificate    string `yaml:"certificate"`
	CertificateKey string `yaml:"certificate_key"`
	// Exchange is the line to the other side's server.
	Exchange ExchangeConfig `yaml:"exchange"`
	// Owner is how several processes work on one record. One of them owns it and writes; the
	// others send it what they are asked to write.
	Owner OwnerConfig `yaml:"owner"`
	// EraseAfter is how many days after the day of a slot, or of a purchase, the key of the
	// names, documents and telephone numbers given for it is destroyed: nobody can read them
	// then, nor in any backup. Where the agreement has a parameter erase.after, that counts.
	EraseAfter int `yaml:"erase_after"`
	// ProofTrust is the folder of the lists by which health certificates are believed, and of
	// lists of those that were revoked, in any form that darwaza verify --trust takes. Whoever
	// keeps the folder fetches them: the server asks nobody. A list is as old as it says itself,
	// or else as its file, and single certificates as the oldest file of them: copy files with
	// their times. What changes in the folder counts at
	// once. A file sides.pem holds the public keys of A and of B for lists that both have
	// signed. Where it is empty no certificate can be checked. The agreement's parameters
	// trust.stale and trust.refuse limit the age.
	ProofTrust string `yaml:"proof_trust"`
	// AnswerWithin is how many days a supervisor has to answer a contested decision: it is
	// promised to the person and stands in the record. Where the agreement has a parameter
	// contest.within, that counts.
	AnswerWithin int `yaml:"answer_within"`
	// Clients are the programs that may use the API, such as a booking office's. Each acts as
	// an officer, whose id stands in the record for what it does: for example
	// [{name: "office", token: "SHA-256 of its token, 64 hex digits", officer: "ID", roles: [clerk]}].
	Clients []ClientConfig `yaml:"clients"`
	// LogLevel is debug, info, warn or error. The log goes to standard error as JSON and
	// holds no names, documents or references.
	LogLevel string `yaml:"log_level"`
}

// ProxyConfig is a proxy that says whom it heard.
type ProxyConfig struct {
	// Addresses are those from which the proxy asks the server, such as [127.0.0.1], or networks
	// such as [10.1.0.0/24]. Nobody else's header is believed.
	Addresses []string `yaml:"addresses"`
	// Header is the one in which the proxy writes the address of whoever asked it, such as
	// X-Forwarded-For or X-Real-IP. Make sure that the proxy sets it itself, or appends to it:
	// nginx does with "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for". Of
	// several addresses with commas between them the last one counts that is no proxy's.
	Header string `yaml:"header"`
}

// prefixes returns the proxy's addresses as networks.
func (c ProxyConfig) prefixes() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range c.Addresses {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// ExchangeConfig is the line to the other side's server. Both sides work with the line
// cut; what needs it says how old it is.
type ExchangeConfig struct {
	// Peer is the address of the other side's server, such as https://b.example:8443. Where
	// it is empty nothing is asked of the other side, and each place that a withdrawn pass
	// could still use stays empty until the pass has ended.
	Peer string `yaml:"peer"`
	// Authority is a PEM file of the certificate authority behind the other side's server;
	// empty for those that the system trusts. Messages are signed by the keys of the
	// agreement in any case.
	Authority string `yaml:"authority"`
	// Every is the time between two questions to the other side.
	Every Duration `yaml:"every"`
}

// OwnerConfig is how the server that owns the record takes what others ask it to write:
// its siblings on the same PostgreSQL, and commands on this machine such as darwaza people.
// Whoever asks must know a secret that lies in the database.
type OwnerConfig struct {
	// Listen is where the server listens for them. It is not TLS: give it an address of this
	// machine alone, or of a network that nobody else is in.
	Listen string `yaml:"listen"`
	// Address is how the others reach it, host:port; where it is empty, the address it listens on.
	Address string `yaml:"address"`
}

// ClientConfig is a program that may use the API.
type ClientConfig struct {
	// Name is for the log.
	Name string `yaml:"name"`
	// Token is the SHA-256 of the bearer token, in hex: the token itself is not kept.
	Token string `yaml:"token"`
	// Officer is the id of the officer as whom the program acts.
	Officer people.OfficerID `yaml:"officer"`
	// Roles are what it may do, as far as the officer may.
	Roles []people.Role `yaml:"roles"`
}

// Duration is a time.Duration written as in 3s or 2m30s.
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration, which must not be negative.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = errors.New("a negative time")
	}
	*d = Duration(v)
	return err
}

// ReadConfig reads and checks a configuration file and makes its paths absolute.
func ReadConfig(name string) (*Config, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "config.path", err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, problem.Newf(problem.NotFound, "config.file", "there is no configuration %s; darwaza init makes one", name)
	case err != nil:
		return nil, problem.Wrap(problem.Internal, "config.file", err)
	case info.Size() > maxConfig:
		return nil, problem.Newf(problem.Limit, "config.file", "%s has %d bytes; a configuration has %d at most", name, info.Size(), maxConfig)
	}
	b, err := os.ReadFile(abs)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "config.file", err)
	}
	c, err := ParseConfig(b)
	if err != nil {
		return nil, problem.Newf(problem.KindOf(err), problem.CodeOf(err), "%s: %w", name, errors.Unwrap(err))
	}
	c.resolve(filepath.Dir(abs))
	return c, nil
}

// ParseConfig reads and checks a configuration, leaving paths as they are written.
func ParseConfig(b []byte) (*Config, error) {
	c := defaults()
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(c); err != nil {
		return nil, problem.Newf(problem.Invalid, "config.form", "%s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return c, c.check()
}

// defaults are the values of fields that a file leaves out.
func defaults() *Config {
	return &Config{LogLevel: "info", Exchange: ExchangeConfig{Every: Duration(3 * time.Second)}, Owner: OwnerConfig{Listen: "127.0.0.1:0"}, EraseAfter: 90, AnswerWithin: appeal.DefaultDays}
}

// WithoutTLS turns TLS off for this run, as serve --http asks.
func (c *Config) WithoutTLS() error {
	c.HTTP = true
	return c.check()
}

// resolve makes the paths absolute, from the folder of the configuration.
func (c *Config) resolve(dir string) {
	paths := []*string{&c.Keys, &c.Vault, &c.Head, &c.ProofTrust, &c.Certificate, &c.CertificateKey, &c.Exchange.Authority}
	if !strings.Contains(c.Database, "://") {
		paths = append(paths, &c.Database)
	}
	for i := range c.Agreements {
		paths = append(paths, &c.Agreements[i])
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

func (c *Config) check() error {
	bad := func(field, format string, args ...any) error {
		return problem.Newf(problem.Invalid, "config.field", field+": "+format, args...)
	}
	if !c.Side.Valid() {
		return bad("side", "must be A or B")
	}
	if len(c.Agreements) == 0 {
		return bad("agreements", "names no edition; nothing is decided without one")
	}
	for _, f := range []struct{ name, value string }{{"database", c.Database}, {"keys", c.Keys}, {"vault", c.Vault}, {"head", c.Head}, {"listen", c.Listen}} {
		if strings.TrimSpace(f.value) == "" {
			return bad(f.name, "must not be empty")
		}
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return bad("listen", "must be host:port: %w", err)
	}
	if c.HTTP && !loopback(host) {
		return bad("http", "without TLS the server listens only on a loopback address such as 127.0.0.1:8080, not on %q; passwords and documents would be readable on the way", c.Listen)
	}
	if _, err := c.Proxy.prefixes(); err != nil {
		return bad("proxy.addresses", "must be addresses or networks such as 127.0.0.1 or 10.1.0.0/24: %w", err)
	}
	if (len(c.Proxy.Addresses) == 0) != (c.Proxy.Header == "") {
		return bad("proxy.header", "addresses and header go together")
	}
	if strings.EqualFold(c.Proxy.Header, "Forwarded") || strings.Trim(c.Proxy.Header, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return bad("proxy.header", "must be a header that holds addresses alone, such as X-Forwarded-For or X-Real-IP")
	}
	if (c.Certificate == "") != (c.CertificateKey == "") {
		return bad("certificate_key", "certificate and certificate_key go together")
	}
	if !c.HTTP && c.Certificate == "" && len(c.Names) == 0 {
		return bad("names", "must name the host, as the certificate bears it")
	}
	if c.Exchange.Peer != "" {
		u, err := url.Parse(c.Exchange.Peer)
		if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.User != nil {
			return bad("exchange.peer", "must be an address such as https://b.example:8443")
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			return bad("exchange.peer", "must be https")
		}
	}
	for _, a := range []struct{ name, value string }{{"owner.listen", c.Owner.Listen}, {"owner.address", c.Owner.Address}} {
		if host, _, err := net.SplitHostPort(a.value); a.value != "" && (err != nil || host == "") {
			return bad(a.name, "must be host:port, with a host: it is not for everybody")
		}
	}
	if c.Exchange.Every < Duration(100*time.Millisecond) || c.Exchange.Every > Duration(time.Hour) {
		return bad("exchange.every", "must be between 100ms and 1h")
	}
	if c.EraseAfter < 1 || c.EraseAfter > 3650 {
		return bad("erase_after", "must be between 1 and 3650 days")
	}
	if c.AnswerWithin < 1 || c.AnswerWithin > appeal.MaxDays {
		return bad("answer_within", "must be between 1 and %d days", appeal.MaxDays)
	}
	for _, cl := range c.Clients {
		if b, err := hex.DecodeString(cl.Token); err != nil || len(b) != sha256.Size {
			return bad("clients", "the token of %q must be a SHA-256 in 64 hex digits", cl.Name)
		}
		if cl.Name == "" || cl.Officer == "" || len(cl.Roles) == 0 {
			return bad("clients", "each needs a name, an officer and roles")
		}
		for _, r := range cl.Roles {
			if !slices.Contains(people.Roles[:], r) {
				return bad("clients", "%q has an unknown role %q", cl.Name, r)
			}
		}
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		return bad("log_level", "must be debug, info, warn or error")
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

//go:embed config.go
var configSource string

// Manual returns the configuration as a YAML file in which every field is explained
// by its comment in this source.
func (c *Config) Manual() ([]byte, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "config.go", configSource, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, problem.Wrap(problem.Internal, "config.manual", err)
	}
	docs := map[string]*ast.StructType{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok {
				if st, ok := ts.Type.(*ast.StructType); ok {
					docs[ts.Name.Name] = st
				}
			}
		}
	}
	var b bytes.Buffer
	b.WriteString("# Configuration of a Darwaza post. Paths are taken from this file's folder.\n")
	if err := manual(&b, docs, reflect.ValueOf(*c), ""); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func manual(b *bytes.Buffer, docs map[string]*ast.StructType, v reflect.Value, indent string) error {
	st := docs[v.Type().Name()]
	if st == nil {
		return problem.Newf(problem.Internal, "config.manual", "no source of %s", v.Type().Name())
	}
	at := 0
	for _, field := range st.Fields.List {
		if doc := strings.TrimSpace(field.Doc.Text()); doc != "" {
			b.WriteString("\n")
			for _, line := range strings.Split(doc, "\n") {
				b.WriteString(indent + "# " + line + "\n")
			}
		}
		for range field.Names {
			name := v.Type().Field(at).Tag.Get("yaml")
			value := v.Field(at)
			at++
			if value.Kind() == reflect.Struct {
				b.WriteString(indent + name + ":\n")
				if err := manual(b, docs, value, indent+"  "); err != nil {
					return err
				}
				continue
			}
			b.WriteString(indent + name + ": " + scalar(value) + "\n")
		}
	}
	return nil
}

// scalar writes a value so that YAML reads it back: a double-quoted text of Go is one
// of YAML.
func scalar(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return time.Duration(x).String()
	case []string:
		q := make([]string, len(x))
		for i, s := range x {
			q[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(q, ", ") + "]"
	case []ClientConfig:
		q := make([]string, len(x))
		for i, c := range x {
			q[i] = fmt.Sprintf("{name: %q, token: %q, officer: %q, roles: %s}", c.Name, c.Token, c.Officer, strings.ReplaceAll(fmt.Sprint(c.Roles), " ", ", "))
		}
		return "[" + strings.Join(q, ", ") + "]"
	}
	if v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}
