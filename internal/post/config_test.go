// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

func sample() *Config {
	return &Config{
		Side: agreement.A, Agreements: []string{"edition-1", `a "quoted" folder`}, Database: "post.db",
		Keys: "keys", Vault: "vault", Head: "head/head", Listen: ":8443", Names: []string{"gate.example", "10.0.0.4"},
		Owner:    OwnerConfig{Listen: "127.0.0.1:0"},
		Proxy:    ProxyConfig{Addresses: []string{"127.0.0.1", "10.1.0.0/24"}, Header: "X-Forwarded-For"},
		Exchange: ExchangeConfig{Peer: "https://b.example:8443", Every: Duration(3 * time.Second)}, LogLevel: "info", EraseAfter: 30, AnswerWithin: 5,
		Clients: []ClientConfig{{"office", strings.Repeat("ab", 32), "X1", []people.Role{people.Clerk, people.Manager}}},
	}
}

// TestManual holds the file that init writes against the struct: every field stands in
// it once, under a comment, and it reads back as it was.
func TestManual(t *testing.T) {
	want := sample()
	b, err := want.Manual()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseConfig(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back as %+v, want %+v", got, want)
	}
	lines := strings.Split(string(b), "\n")
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, indent string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := f.Tag.Get("yaml")
			if name == "" {
				t.Errorf("%s.%s has no name in the file", typ.Name(), f.Name)
			}
			found := 0
			for n, line := range lines {
				if strings.HasPrefix(line, indent+name+":") {
					found++
					// A comment may speak of two fields that follow each other.
					above := lines[n-1]
					if !strings.HasPrefix(above, indent+"# ") && !(i > 0 && strings.HasPrefix(above, indent+typ.Field(i-1).Tag.Get("yaml")+":")) {
						t.Errorf("%s has no comment above it, but %q", name, above)
					}
				}
			}
			if found != 1 {
				t.Errorf("%s stands %d times in the file", name, found)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type, indent+"  ")
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func TestConfigProblems(t *testing.T) {
	good, err := sample().Manual()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"side", `side: "A"`, `side: "C"`, "side: must be A or B"},
		{"no edition", `agreements: ["edition-1", "a \"quoted\" folder"]`, `agreements: []`, "agreements: names no edition"},
		{"typing mistake", `database:`, `databse:`, "databse"},
		{"twice", `listen: ":8443"`, "listen: \":8443\"\nlisten: \":9443\"", "listen"},
		{"listen", `listen: ":8443"`, `listen: "8443"`, "listen: must be host:port"},
		{"plain http in public", `http: false`, `http: true`, "http: without TLS"},
		{"proxy without a header", `header: "X-Forwarded-For"`, `header: ""`, "proxy.header: addresses and header go together"},
		{"proxy by name", `addresses: ["127.0.0.1", "10.1.0.0/24"]`, `addresses: ["proxy.example"]`, "proxy.addresses: must be addresses"},
		{"header of another form", `header: "X-Forwarded-For"`, `header: "Forwarded"`, "proxy.header: must be a header that holds"},
		{"half a certificate", `certificate: ""`, `certificate: "a.pem"`, "go together"},
		{"plain peer", `https://b.example:8443"`, `http://b.example:8443"`, "exchange.peer: must be https"},
		{"peer with a path", `https://b.example:8443"`, `https://b.example:8443/x"`, "exchange.peer: must be an address"},
		{"every", `every: 3s`, `every: 1ms`, "exchange.every"},
		{"negative", `every: 3s`, `every: -3s`, "negative"},
		{"owner for everybody", `listen: "127.0.0.1:0"`, `listen: ":7000"`, "owner.listen"},
		{"level", `log_level: "info"`, `log_level: "loud"`, "log_level"},
		{"names", `names: ["gate.example", "10.0.0.4"]`, `names: []`, "names: must name the host"},
		{"token", `token: "abab`, `token: "ab`, "clients: the token of"},
		{"role", `[clerk, manager]`, `[king]`, "unknown role"},
		{"database", `database: "post.db"`, `database: " "`, "database: must not be empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(good), tt.from, tt.to, 1)
			if text == string(good) {
				t.Fatalf("%q is not in the file", tt.from)
			}
			name := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ReadConfig(name)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want %q and the file's name", err, tt.want)
			}
			if k := problem.KindOf(err); k != problem.Invalid {
				t.Errorf("kind %v", k)
			}
		})
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none.yaml")); problem.KindOf(err) != problem.NotFound {
		t.Errorf("a missing file: %v", err)
	}
}

func TestConfigPaths(t *testing.T) {
	dir := t.TempDir()
	b, err := sample().Manual()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append([]string{c.Database, c.Keys, c.Vault, c.Head}, c.Agreements...) {
		if filepath.Dir(p) != dir && filepath.Dir(filepath.Dir(p)) != dir {
			t.Errorf("%s is not under %s", p, dir)
		}
	}
	c.Database = "postgres://x/y"
	c.resolve("/elsewhere")
	if c.Database != "postgres://x/y" {
		t.Errorf("an address became %s", c.Database)
	}
}

// TestNoClock sees to it that nobody can give a served post another time than the
// machine's: the demo's clock is a value in the program and no field.
func TestNoClock(t *testing.T) {
	clock := regexp.MustCompile(`(?i)clock|time$|date|now|demo|banner|offset`)
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if clock.MatchString(f.Name) || clock.MatchString(f.Tag.Get("yaml")) {
				t.Errorf("the configuration has a field %s", f.Name)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}
