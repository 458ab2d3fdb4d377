// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/protocol"
	"darwaza.dev/internal/service"
)

func runLevel(ctx context.Context, c console, args []string) error {
	const about = `
Shows which level of protection holds at a site, which comes next and what each side has
brought in, or brings one in for this side, beside the running server.

show takes the id of a site. set takes the id of a site and that of a level; it is the act of
the officer whom --by names and stands so in the record, and it asks for their sign-in word on
standard input. The level comes in as soon as the notice of the agreement allows; --from says a
later time, and --emergency brings it in at once, to end by itself.`
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	if verb != "show" && verb != "set" && verb != "--help" && verb != "-h" {
		return wrong("want level show or level set; darwaza help level shows how")
	}
	if verb == "show" || verb == "set" {
		args = args[1:]
	}
	fs := flags(c, "level", "show|set --config FILE SITE [LEVEL]", about)
	file := config(fs)
	by := fs.String("by", "", "`login` of the officer whose act it is; the sign-in word is read from standard input")
	from := fs.String("from", "", "set: `time` from which it holds, such as 2025-09-02T10:00:00+05:00")
	emergency := fs.Bool("emergency", false, "set: bring it in at once; it ends by itself")
	profiles := fs.String("profiles", "", "set: disease `profiles` to switch on beside those of the level, with commas between")
	if err := parse(fs, args, 2); err != nil {
		return err
	}
	set := service.SetLevel{Level: fs.Arg(1), Emergency: *emergency}
	switch {
	case verb == "show" && fs.NArg() != 1:
		return wrong("level show takes the id of one site")
	case verb == "set" && fs.NArg() != 2:
		return wrong("level set takes the id of a site and that of a level")
	case verb == "set" && *by == "":
		return wrong("--by names the officer whose act it is")
	}
	if *from != "" {
		t, err := time.Parse(time.RFC3339, *from)
		if err != nil {
			return wrong("--from is a time such as 2025-09-02T10:00:00+05:00")
		}
		set.From = t.UTC()
	}
	if *profiles != "" {
		set.Profiles = strings.Split(*profiles, ",")
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	p, err := post.Open(ctx, conf, post.Options{Beside: true})
	if err != nil {
		return err
	}
	defer p.Close()
	if verb == "show" {
		l, err := p.Levels(ctx, fs.Arg(0))
		if err != nil {
			return err
		}
		showLevels(c.out, fs.Arg(0), l)
		return nil
	}
	word, err := ask(c, bufio.NewReader(io.LimitReader(c.in, 2048)), "sign-in word of "+*by)
	if err != nil {
		return err
	}
	a, err := p.SetLevel(ctx, fs.Arg(0), *by, word, set)
	if err != nil {
		return err
	}
	if a.Change.Level != "" {
		fmt.Fprintf(c.out, "%s at %s: %s; the record says that %s brought it in\n", a.Change.Level, fs.Arg(0), held(a.Change), *by)
		return nil
	}
	texts, err := lang.Load()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is not brought in at %s\n", set.Level, fs.Arg(0))
	for _, r := range a.Verdict.Reasons {
		args := lang.Args{}
		for k, v := range r.Params {
			args[k] = v
		}
		fmt.Fprintf(c.out, "%s %s\n", r.Code, texts.Say(lang.EN, "reason."+string(r.Code), args))
	}
	return nil
}

// held says from when a change holds, and how it ends.
func held(c protocol.Change) string {
	s := "from " + c.From.UTC().Format(time.RFC3339)
	if c.Emergency() {
		s += " to " + c.Until.UTC().Format(time.RFC3339) + ", an emergency"
	}
	if len(c.Profiles) > 0 {
		s += ", with " + strings.Join(c.Profiles, ", ")
	}
	return s
}

func showLevels(w io.Writer, site string, l post.SiteLevels) {
	fmt.Fprintf(w, "%s: %s\n", site, l.Now.Key())
	if !l.From.IsZero() {
		fmt.Fprintf(w, "next: %s from %s\n", l.Next.Key(), l.From.UTC().Format(time.RFC3339))
	}
	for _, side := range [...]agreement.Side{agreement.A, agreement.B} {
		for _, x := range l.Changes[side] {
			fmt.Fprintf(w, "side %s: %s %s\n", side, x.Level, held(x))
		}
	}
}
