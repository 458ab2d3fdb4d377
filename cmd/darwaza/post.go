// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/post"
)

// list collects a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func runInit(ctx context.Context, c console, args []string) error {
	fs := flags(c, "init", "--dir DIR --side A|B --agreement DIR [flags]", `
Makes a post in a new folder: its keys, a certificate authority of its own so that
tablets may use their cameras, the first people with their sign-in words (printed once),
the database, and a configuration in which every field is explained. It prints what has
to be exchanged with the other side before the post can serve.

  darwaza init --dir /srv/post --side A --agreement /srv/agreement \
      --name gate.example --name 192.168.1.10 \
      --officer 'head:admin,supervisor:Full Name' --officer 'gate1:gate,health:Full Name'

To make a post is on record as the act of its first admin.`)
	n := post.New{Now: time.Now()}
	var side string
	var names, officers, agreements list
	fs.StringVar(&n.Dir, "dir", "", "`folder` of the new post")
	fs.StringVar(&side, "side", "", "the authority's side of the agreement, `A or B`")
	fs.Var(&agreements, "agreement", "`folder` of the agreement; it need not be signed yet. It may be given several times, for agreements between the same two authorities: both sides name the same one first")
	fs.StringVar(&n.Database, "database", "", "`address` of a PostgreSQL database; a file of SQLite in the folder where it is left out")
	fs.StringVar(&n.Listen, "listen", ":8443", "`host:port` to serve on")
	fs.Var(&names, "name", "`name` or address by which browsers reach the server, for its certificate; may be given several times (default this host's name, localhost, 127.0.0.1)")
	fs.BoolVar(&n.HTTP, "http", false, "serve without TLS, on a loopback address only")
	fs.StringVar(&n.Peer, "peer", "", "`address` of the other side's server, such as https://b.example:8443")
	fs.StringVar(&n.PeerCA, "peer-authority", "", "`file` of the certificate authority of the other side's server")
	fs.Var(&officers, "officer", "`login:role,role:name` of one of the first people; may be given several times, once with the role admin; the roles are "+roles())
	site := fs.String("site", "", "`id` of the site at which the first people work; all sites where it is left out")
	authority := fs.Bool("authority-only", false, "make nothing but a new certificate authority, for the names in the configuration of --dir")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	if n.Dir == "" {
		return wrong("--dir names the folder of the new post")
	}
	if *authority {
		conf, err := post.ReadConfig(filepath.Join(n.Dir, post.ConfigFile))
		if err != nil {
			return err
		}
		a, err := post.RenewAuthority(conf, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "A new certificate authority: %s\nSHA-256 %s\nRestart the server, then install the file on each tablet.\n", filepath.Join(conf.Keys, post.AuthorityFile), a.Fingerprint())
		return nil
	}
	n.Side = agreement.Side(strings.ToUpper(side))
	if !n.Side.Valid() {
		return wrong("--side must be A or B")
	}
	if len(agreements) == 0 {
		return wrong("--agreement names the folder of the agreement")
	}
	n.Agreement, n.Beside = agreements[0], agreements[1:]
	n.Names = names
	if len(n.Names) == 0 {
		n.Names = defaultNames()
	}
	for _, o := range officers {
		parsed, err := post.ParseOfficer(o)
		if err != nil {
			return err
		}
		parsed.Site = *site
		n.Officers = append(n.Officers, parsed)
	}
	made, err := post.Init(ctx, n)
	if err != nil {
		return err
	}
	made.Tell(c.out)
	return nil
}

func roles() string {
	var s []string
	for _, r := range people.Roles {
		s = append(s, string(r))
	}
	return strings.Join(s, ", ")
}

// defaultNames are what a browser on this machine or in its network would call it.
func defaultNames() []string {
	names := []string{"localhost", "127.0.0.1"}
	if host, err := os.Hostname(); err == nil && host != "" && host != "localhost" && net.ParseIP(host) == nil {
		names = append([]string{strings.ToLower(host)}, names...)
	}
	return names
}

// config adds the flag that names a post's configuration.
func config(fs flagSet) *string {
	return fs.String("config", post.ConfigFile, "`file` of the post's configuration")
}

func runServe(ctx context.Context, c console, args []string) error {
	fs := flags(c, "serve", "--config FILE", `
Runs a post until it is told to stop (SIGTERM or Ctrl-C); then it answers what was asked,
writes what was decided, and ends. The log goes to standard error, one JSON line each,
and holds no names. The server refuses to run on an edition that both sides have not
signed, or that does not hold its own keys.`)
	file := config(fs)
	http := fs.Bool("http", false, "serve without TLS; only on a loopback address")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	if *http {
		if err := conf.WithoutTLS(); err != nil {
			return err
		}
	}
	return post.Serve(ctx, conf, version, c.err)
}

func runPeople(ctx context.Context, c console, args []string) error {
	about := `
Says who may do what. It works while the server runs.

  darwaza people list --config FILE
  darwaza people add  --config FILE --by LOGIN --name NAME LOGIN ROLE[,ROLE…]    prints a sign-in word, once
  darwaza people role --config FILE --by LOGIN LOGIN ROLE[,ROLE…]    in the place of the roles they have
  darwaza people word --config FILE --by LOGIN LOGIN      a new sign-in word; the old one ends
  darwaza people off  --config FILE --by LOGIN LOGIN      may no longer sign in
  darwaza people on   --config FILE --by LOGIN LOGIN      may sign in again
  darwaza people erase --config FILE --by LOGIN NUMBER    destroys the key of the names, documents and phone
                      of a booking (of a receipt R-…, of the words of a contest C-…): nobody can read them any more, nor in a backup. It
                      is the act of a supervisor or an admin, and asks for their sign-in word.

Each is the act of the officer whom --by names, an admin, and stands so in the record; it
asks for their sign-in word on standard input. Who names themselves in people word chooses
their own word, which is asked for after the present one. A word that somebody else made
opens nothing but that choice. Only an admin who has lost their word gets another without
--by: that is the act of whoever keeps the machine.

The roles are ` + roles() + `.
Logins and names are in no fact of the record; names are sealed.`
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	fs := flags(c, "people", "list|add|role|word|off|on|erase --config FILE [--by LOGIN] [LOGIN|NUMBER] [ROLES]", about)
	file := config(fs)
	name := fs.String("name", "", "add: the person's `name`, which is sealed")
	site := fs.String("site", "", "add: `id` of the site at which they work; all where it is left out")
	gate := fs.Uint("gate", 0, "add: `number` of the gate at which they work")
	language := fs.String("language", "en", "add: `language` of their pages: en, fa or ur")
	by := fs.String("by", "", "`login` of the officer whose act it is; the sign-in word is read from standard input")
	rest := map[string]int{"add": 2, "role": 2, "word": 1, "off": 1, "on": 1, "erase": 1}
	if err := parse(fs, args, 2); err != nil {
		return err
	}
	if want, ok := rest[verb]; verb != "list" && !ok {
		return wrong("want people list, add, role, word, off, on or erase; darwaza help people shows how")
	} else if fs.NArg() != want {
		return wrong("people %s takes %d arguments after the flags, not %d; darwaza help people shows them", verb, want, fs.NArg())
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	p, err := post.OpenForPeople(ctx, conf)
	if err != nil {
		return err
	}
	defer p.Close()
	if verb == "list" {
		return listPeople(ctx, c, p)
	}
	login, in := fs.Arg(0), bufio.NewReader(io.LimitReader(c.in, 2048))
	if *by == "" && verb != "word" {
		return wrong("--by names the officer whose act it is; darwaza help people says who may")
	}
	var present string
	if *by != "" {
		if present, err = ask(c, in, "sign-in word of "+*by); err != nil {
			return err
		}
	}
	switch {
	case verb == "erase":
		return erase(ctx, c, p, login, *by, present)
	case verb == "word" && *by == login:
		next, err := ask(c, in, "new word of "+login)
		if err != nil {
			return err
		}
		if err := p.OwnWord(ctx, login, present, next); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s signs in with the new word\n", login)
		return nil
	}
	var actor people.OfficerID
	if *by != "" {
		o, err := p.Signed(ctx, *by, present)
		if err != nil {
			return err
		}
		actor = o.ID
	}
	switch verb {
	case "add":
		n := post.NewOfficer{Login: login, Name: *name, Site: *site, Gate: uint16(*gate), Language: lang.Tag(*language)}
		if *gate > 1<<16-1 {
			return wrong("--gate %d is no gate", *gate)
		}
		if n.Roles, err = post.ParseRoles(fs.Arg(1)); err != nil {
			return err
		}
		o, word, err := p.Appoint(ctx, actor, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s (%s) may sign in with this word, shown once, and then chooses their own:\n  %s\n", o.Login, o.ID, word)
	case "role":
		roles, err := post.ParseRoles(fs.Arg(1))
		if err != nil {
			return err
		}
		o, err := p.ChangeOfficer(ctx, actor, login, func(o *people.Officer) { o.Roles = roles })
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s is now %s\n", o.Login, joined(o.Roles))
	case "word":
		word, err := p.NewWord(ctx, actor, login)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "the new sign-in word of %s, shown once:\n  %s\n", login, word)
	case "off", "on":
		o, err := p.ChangeOfficer(ctx, actor, login, func(o *people.Officer) { o.Active = verb == "on" })
		if err != nil {
			return err
		}
		if o.Active {
			fmt.Fprintf(c.out, "%s may sign in\n", o.Login)
		} else {
			fmt.Fprintf(c.out, "%s may no longer sign in, and is signed out\n", o.Login)
		}
	}
	return nil
}

// ask reads one line, whose name goes to standard error.
func ask(c console, in *bufio.Reader, what string) (string, error) {
	fmt.Fprintf(c.err, "%s: ", what)
	line, err := in.ReadString('\n')
	if err != nil && err != io.EOF {
		return "", wrong("the %s cannot be read: %w", what, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// erase destroys the key of one booking's, receipt's or contest's personal data.
func erase(ctx context.Context, c console, p *post.Post, what, by, word string) error {
	fresh, err := p.EraseOne(ctx, what, by, word)
	if err != nil {
		return err
	}
	if fresh {
		fmt.Fprintf(c.out, "the personal data of %s are erased, here and in every backup; the record says that %s did it\n", what, by)
	} else {
		fmt.Fprintf(c.out, "there are no personal data of %s: none were given, or they are erased already\n", what)
	}
	return nil
}

func listPeople(ctx context.Context, c console, p *post.Post) error {
	all, names, err := p.Officers(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LOGIN\tROLES\tSITE\tGATE\tACTIVE\tID\tNAME")
	for i, o := range all {
		site, active := o.Site, "yes"
		if site == "" {
			site = "all"
		}
		if !o.Active {
			active = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", o.Login, joined(o.Roles), site, o.Gate, active, o.ID, names[i])
	}
	return w.Flush()
}

func joined(roles []people.Role) string {
	s := make([]string, len(roles))
	for i, r := range roles {
		s[i] = string(r)
	}
	return strings.Join(s, ",")
}
