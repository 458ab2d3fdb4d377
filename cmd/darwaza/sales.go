// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"darwaza.dev/internal/post"
)

func runSales(ctx context.Context, c console, args []string) error {
	const about = `
Lets a site sell places again after a restore that lost the end of the record, beside the
running server. Places that were sold since the backup are unknown to this post, and would be
sold twice: look for them first. Their passes let people in meanwhile.

It is the act of the supervisor whom --by names and stands so in the record; it asks for their
sign-in word on standard input. SITE is the id of a site.`
	if len(args) == 0 || args[0] != "open" && args[0] != "--help" && args[0] != "-h" {
		return wrong("want sales open; darwaza help sales shows how")
	}
	if args[0] == "open" {
		args = args[1:]
	}
	fs := flags(c, "sales", "open --config FILE --by LOGIN SITE", about)
	file := config(fs)
	by := fs.String("by", "", "`login` of the supervisor whose act it is; the sign-in word is read from standard input")
	if err := parse(fs, args, 1); err != nil {
		return err
	}
	switch {
	case fs.NArg() != 1:
		return wrong("sales open takes the id of one site")
	case *by == "":
		return wrong("--by names the supervisor whose act it is")
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
	word, err := ask(c, bufio.NewReader(io.LimitReader(c.in, 2048)), "sign-in word of "+*by)
	if err != nil {
		return err
	}
	opened, err := p.OpenSales(ctx, fs.Arg(0), *by, word)
	if err != nil {
		return err
	}
	if opened {
		fmt.Fprintf(c.out, "places are sold again at %s; the record says that %s opened them\n", fs.Arg(0), *by)
	} else {
		fmt.Fprintf(c.out, "places are sold at %s: nothing is held there\n", fs.Arg(0))
	}
	return nil
}
