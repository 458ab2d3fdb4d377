// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
)

// Names of what init makes in the post's folder.
const (
	ConfigFile = "config.yaml"
	// AuthorityFile is what tablets install, in the keys' folder.
	AuthorityFile = authorityFile
	// HandoverFolder holds what the other side is given.
	HandoverFolder = "handover"
)

// New is a post that is to be made.
type New struct {
	Dir       string // made by Init; it must not hold a post
	Side      agreement.Side
	Agreement string   // folder or bundle of the edition, not necessarily signed yet
	Beside    []string // those of other agreements between the same two authorities
	Database  string   // empty for a file of SQLite in the folder
	Listen    string   // host:port
	Names     []string // for the certificate
	HTTP      bool
	Peer      string // address of the other side's server, empty where it is not known yet
	PeerCA    string // file of its certificate authority
	Officers  []NewOfficer
	Now       time.Time
}

// Made is what Init made. Words are shown once and can be read nowhere.
type Made struct {
	Config      *Config
	File        string // of the configuration
	Keys        *Keys
	Edition     *agreement.Edition
	Beside      []*agreement.Edition // of the other agreements
	Handover    string               // file of public keys for the other side and for the package; certificates lie beside it
	Fingerprint string               // of the certificate authority, empty without one
	Officers    []people.Officer
	Words       []string
}

// Init makes a post: keys, certificate authority, configuration, database, first people.
func Init(ctx context.Context, n New) (_ *Made, err error) {
	if !n.Side.Valid() {
		return nil, problem.Newf(problem.Invalid, "init.side", "the side must be A or B")
	}
	if len(n.Officers) == 0 {
		return nil, problem.Newf(problem.Invalid, "init.officers", "nobody could sign in: name the first person, such as --officer 'head:admin,supervisor:Full Name'")
	}
	if !slices.ContainsFunc(n.Officers, isAdmin) {
		return nil, problem.Newf(problem.Invalid, "init.officers", "nobody could appoint anybody: give one officer the role admin, such as --officer 'head:admin,supervisor:Full Name'")
	}
	for i, o := range n.Officers {
		if err := o.check(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(n.Officers[:i], func(x NewOfficer) bool { return x.Login == o.Login }) {
			return nil, problem.Newf(problem.Invalid, "init.officers", "the login %s is given twice", o.Login)
		}
	}
	dir, err := filepath.Abs(n.Dir)
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "init.dir", err)
	}
	pkg, err := filepath.Abs(n.Agreement)
	if err != nil {
		return nil, problem.Wrap(problem.Invalid, "init.agreement", err)
	}
	fsys, err := OpenPackage(pkg)
	if err != nil {
		return nil, err
	}
	edition, err := readEdition(fsys, n.Agreement)
	if err != nil {
		return nil, err
	}
	all, pkgs := []Edition{{edition, pkg}}, []string{pkg}
	var beside []*agreement.Edition
	for _, name := range n.Beside {
		other, err := filepath.Abs(name)
		if err != nil {
			return nil, problem.Wrap(problem.Invalid, "init.agreement", err)
		}
		fsys, err := OpenPackage(other)
		if err != nil {
			return nil, err
		}
		e, err := readEdition(fsys, name)
		if err != nil {
			return nil, err
		}
		all, pkgs, beside = append(all, Edition{e, other}), append(pkgs, other), append(beside, e)
	}
	if len(all) > 1 {
		if _, err := compile(all); err != nil {
			return nil, err
		}
	}
	for _, o := range n.Officers {
		if err := checkSites(all, n.Side, o); err != nil {
			return nil, err
		}
	}
	c := defaults()
	c.Side, c.Agreements = n.Side, pkgs
	c.Database, c.Keys, c.Vault, c.Head = "post.db", "keys", "vault", filepath.Join("head", "head")
	c.ProofTrust = "proof-trust"
	c.Listen, c.Names, c.HTTP, c.Exchange.Peer = n.Listen, n.Names, n.HTTP, n.Peer
	if n.Database != "" {
		c.Database = n.Database
	}
	if n.PeerCA != "" {
		if c.Exchange.Authority, err = filepath.Abs(n.PeerCA); err != nil {
			return nil, problem.Wrap(problem.Invalid, "init.peer", err)
		}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if !n.HTTP {
		if _, _, err := splitNames(n.Names); err != nil {
			return nil, err
		}
	}
	if err := emptyDir(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			sweep(dir) // keys of a post that was never made are good for nothing
		}
	}()
	m := &Made{Config: c, File: filepath.Join(dir, ConfigFile), Edition: edition, Beside: beside}
	text, err := c.Manual()
	if err != nil {
		return nil, err
	}
	c.resolve(dir)
	if err := os.MkdirAll(c.ProofTrust, 0o700); err != nil {
		return nil, problem.Wrap(problem.Internal, "init.proofs", err)
	}
	if m.Keys, err = MakeKeys(c.Keys, n.Side, Origin(edition.ID, n.Side), n.Now); err != nil {
		return nil, err
	}
	if !n.HTTP {
		a, err := NewAuthority(c.Keys, "Darwaza post "+string(n.Side), n.Names, n.Now)
		if err != nil {
			return nil, err
		}
		m.Fingerprint = a.Fingerprint()
		text, err := os.ReadFile(filepath.Join(c.Keys, authorityFile))
		if err != nil {
			return nil, problem.Wrap(problem.Internal, "init.handover", err)
		}
		if err := os.MkdirAll(filepath.Join(dir, HandoverFolder), 0o755); err != nil {
			return nil, problem.Wrap(problem.Internal, "init.handover", err)
		}
		if err := writePublic(filepath.Join(dir, HandoverFolder, handedAuthority(n.Side)), text); err != nil {
			return nil, err
		}
	}
	files, err := m.Keys.Handover()
	if err != nil {
		return nil, err
	}
	m.Handover = filepath.Join(dir, HandoverFolder, "keys", string(n.Side)+".yaml")
	if err := os.MkdirAll(filepath.Dir(m.Handover), 0o755); err != nil {
		return nil, problem.Wrap(problem.Internal, "init.handover", err)
	}
	for name, data := range files {
		if err := writePublic(filepath.Join(dir, HandoverFolder, filepath.FromSlash(name)), data); err != nil {
			return nil, err
		}
	}
	clock := n.Now
	p, err := Open(ctx, c, Options{Unadopted: true, Keys: m.Keys, Clock: func() time.Time { return clock }})
	if err != nil {
		return nil, err
	}
	if size, err := p.store.Size(ctx); err != nil || size > 0 {
		p.Close()
		if err == nil {
			err = problem.Newf(problem.Conflict, "init.database", "the database holds the record of a post already (%d entries); name an empty one", size)
		}
		return nil, err
	}
	// To make the post is the act of its first admin, who appoints themselves and the others.
	first := slices.IndexFunc(n.Officers, isAdmin)
	order := []int{first}
	for i := range n.Officers {
		if i != first {
			order = append(order, i)
		}
	}
	m.Officers, m.Words = make([]people.Officer, len(n.Officers)), make([]string, len(n.Officers))
	for _, i := range order {
		if m.Officers[i], m.Words[i], err = p.staff().add(ctx, m.Officers[first].ID, n.Officers[i]); err != nil {
			p.Close()
			return nil, err
		}
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	// The configuration last: a folder that has one is a whole post.
	return m, writePrivate(m.File, text)
}

// handedAuthority is the file of a side's certificate authority among what the other is given.
func handedAuthority(side agreement.Side) string { return "authority-" + string(side) + ".pem" }

func isAdmin(o NewOfficer) bool { return slices.Contains(o.Roles, people.Admin) }

// Origin names a side's log.
func Origin(agreementID string, side agreement.Side) string {
	return "darwaza.dev/" + agreementID + "/" + string(side)
}

// sweep takes away what is in a folder that was empty before.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}

// emptyDir makes a folder that holds nothing yet.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem.Wrap(problem.Internal, "init.dir", os.MkdirAll(dir, 0o700))
	case err != nil:
		return problem.Newf(problem.Invalid, "init.dir", "%s cannot be used: %w", dir, err)
	case len(entries) > 0:
		what := "is not empty"
		if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil {
			what = "holds a post already"
		}
		return problem.Newf(problem.Conflict, "init.dir", "%s %s; init writes nothing over: name a new folder", dir, what)
	}
	return nil
}

// Tell prints what was made and what is to be done next.
func (m *Made) Tell(w io.Writer) {
	c := m.Config
	fmt.Fprintf(w, "The post of side %s under %s, edition %d.\n\n", c.Side, m.Edition.ID, m.Edition.Number)
	for _, e := range m.Beside {
		fmt.Fprintf(w, "It runs under %s, edition %d, too.\n\n", e.ID, e.Number)
	}
	fmt.Fprintf(w, "  configuration   %s (every field is explained in it)\n", m.File)
	fmt.Fprintf(w, "  keys            %s (private: copy them to a safe; %s signs editions and may be kept elsewhere)\n", c.Keys, rootFile)
	fmt.Fprintf(w, "  vault           %s (people's own keys: never in a backup)\n", c.Vault)
	fmt.Fprintf(w, "  proof trust     %s (put the lists of health certificates' keys here)\n", c.ProofTrust)
	fmt.Fprintf(w, "  public keys     %s (for the agreement, with the certificates beside it; give a copy of the folder to the other side)\n", m.Handover)
	if m.Fingerprint != "" {
		fmt.Fprintf(w, "\nCameras need HTTPS. Install this certificate authority on each tablet, once:\n  %s\nand compare its SHA-256 fingerprint there:\n  %s\n",
			filepath.Join(c.Keys, authorityFile), fold(m.Fingerprint, 48, "  "))
	}
	fmt.Fprintf(w, "\nSign-in words, shown this once:\n")
	for i, o := range m.Officers {
		fmt.Fprintf(w, "  %-16s %s   %s\n", o.Login, m.Words[i], joinRoles(o.Roles))
	}
	fmt.Fprintf(w, "\nNext:\n")
	other := c.Side.Other()
	fmt.Fprintf(w, "  1. Give the other side a copy of %s, take theirs (OTHER below), and compare the public keys by voice.\n", filepath.Dir(filepath.Dir(m.Handover)))
	fmt.Fprintf(w, "  2. One side puts both public keys into the package:\n")
	for _, pkg := range c.Agreements {
		fmt.Fprintf(w, "       darwaza agreement keys %s %s OTHER/keys/%s.yaml\n", pkg, m.Handover, other)
	}
	pkg := c.Agreements[0]
	if len(c.Agreements) > 1 {
		pkg = "PACKAGE"
	}
	fmt.Fprintf(w, "  3. Let two people of each side sign that folder. Each makes a key of their own, the root key certifies it, and when every certificate is in the folder all sign, one after the other:\n"+
		"       darwaza agreement signer NAME.key\n       darwaza agreement certify --side %s --key %s --person NAME --public NAME.key.pub %s\n       darwaza agreement sign --side %[1]s --key NAME.key %[3]s\n",
		c.Side, filepath.Join(c.Keys, rootFile), pkg)
	if c.Exchange.Peer == "" {
		fmt.Fprintf(w, "  4. Say in %s how the other side's server is reached:\n       exchange:\n         peer: \"https://HOST:PORT\"\n         authority: \"OTHER/%s\"   (empty where its certificate is from elsewhere)\n", m.File, handedAuthority(other))
	} else {
		fmt.Fprintf(w, "  4. The other side's server is asked at %s; exchange in %s says so, and by which certificate authority it is believed.\n", c.Exchange.Peer, m.File)
	}
	fmt.Fprintf(w, "  5. darwaza serve --config %s\n", m.File)
	fmt.Fprintf(w, "  6. Choose your own word in the place of the one above, where you sign in or here:\n       darwaza people word --config %s --by LOGIN LOGIN\n", m.File)
}

// fold breaks a long text into lines of width n.
func fold(s string, n int, indent string) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n" + indent)
		s = s[n:]
	}
	return b.String() + s
}

// RenewAuthority makes a new certificate authority for the names of a configuration.
func RenewAuthority(c *Config, now time.Time) (*Authority, error) {
	if c.HTTP || c.Certificate != "" {
		return nil, problem.Newf(problem.Invalid, "authority.unused", "this post does not use a certificate authority of its own")
	}
	return NewAuthority(c.Keys, "Darwaza post "+string(c.Side), c.Names, now)
}
