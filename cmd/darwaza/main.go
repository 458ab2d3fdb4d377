// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Command darwaza runs a border post: it makes one, serves it, keeps its people and
// its backups, checks agreements, and shows a market day of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"darwaza.dev/internal/problem"
)

// version is set by the build.
var version = "unversioned"

// console is what a command may read and write.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// command is one command. run returns a problem, whose kind makes the exit status.
type command struct {
	name  string
	args  string // after the name, as help shows it
	short string // one line
	run   func(ctx context.Context, c console, args []string) error
}

// commands lists every command in the order in which help shows them.
func commands() []command {
	return []command{
		{"demo", "[--play]", "a market day at both sides, on this machine", runDemo},
		{"init", "--dir DIR --side A|B --agreement DIR", "make a post: keys, first people, configuration", runInit},
		{"serve", "--config FILE", "run a post", runServe},
		{"people", "list|add|role|word|off|on|erase --config FILE", "say who may do what", runPeople},
		{"backup", "--config FILE --to DIR", "copy a post's database, while it serves", runBackup},
		{"restore", "--config FILE --from DIR", "put a backup in the place of a lost database", runRestore},
		{"sales", "open --config FILE --by LOGIN SITE", "sell places again after a restore", runSales},
		{"level", "show|set --config FILE SITE [LEVEL]", "show and bring in levels of protection", runLevel},
		{"record", "check|show|prove|verify|export|compare", "check a side's record, prove a fact of it, compare both sides' files", runRecord},
		{"exchange", "export|import|resume --config FILE", "carry the record to and from the other side by hand", runExchange},
		{"agreement", "VERB PACKAGE", "write, check, test, compare, sign an agreement package", runAgreement},
		{"verify", "CODE|FILE|PICTURE [--trust FILE|DIR]... [--at TIME]", "say whether a health certificate is genuine", runVerify},
		{"trust", "compose|sign|show", "make, sign and show the list of trusted keys that both sides sign", runTrust},
		{"conformance", "dcc|qa|certlogic|shc|vdsnc DIR [--trust FILE|DIR] [--json]", "hold the program to a folder of published vectors of health certificates and rules", runConformance},
		{"version", "", "print the version", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(status)
}

// run runs one command line and returns its exit status: 0, or 2 and up by the kind
// of the problem.
func run(ctx context.Context, c console, args []string) int {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "help", "-h", "-help", "--help":
		if len(args) == 0 {
			usage(c.out)
			return 0
		}
		name, args = args[0], []string{"--help"}
	}
	for _, cmd := range commands() {
		if cmd.name != name {
			continue
		}
		err := cmd.run(ctx, c, args)
		if err == nil || errors.Is(err, flag.ErrHelp) {
			return 0
		}
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = problem.Newf(problem.Internal, "stopped", "stopped before it was done")
		}
		fmt.Fprintf(c.err, "darwaza %s: %s\n", name, plain(err))
		return problem.KindOf(err).ExitStatus()
	}
	fmt.Fprintf(c.err, "darwaza: no command %q; darwaza help lists them\n", name)
	return problem.Invalid.ExitStatus()
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Darwaza runs a border crossing and the market beside it for two neighbouring authorities,\nfrom one joint agreement that both sign.\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  darwaza %s\n        %s\n", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.short)
	}
	fmt.Fprint(w, "\ndarwaza help COMMAND lists a command's flags. The exit status is 0, or by the kind of the problem:\n")
	for k := problem.Internal; k <= problem.Untrusted; k++ {
		fmt.Fprintf(w, "  %d %s", k.ExitStatus(), k)
	}
	fmt.Fprintln(w)
}

// plain is what an operator reads: the detail where there is one, else kind and code.
func plain(err error) string {
	var p *problem.Error
	if errors.As(err, &p) && p.Err != nil {
		s := p.Err.Error()
		if p.Field != "" {
			s = p.Field + ": " + s
		}
		return s
	}
	return err.Error()
}

// wrong is a command line that cannot be carried out as it was typed.
func wrong(format string, args ...any) error {
	return problem.Newf(problem.Invalid, "command.line", format, args...)
}

// flagSet is a command's flags with its help, which goes to standard output where it
// was asked for and nowhere else.
type flagSet struct {
	*flag.FlagSet
	help func()
}

// flags returns a flag set whose help says what the command is for.
func flags(c console, name, args, about string) flagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return flagSet{fs, func() {
		fmt.Fprintf(c.out, "darwaza %s\n\n%s\n\n", strings.TrimSpace(name+" "+args), strings.TrimSpace(about))
		fs.SetOutput(c.out)
		fs.PrintDefaults()
	}}
}

// parse reads the flags and wants no more than rest arguments after them.
func parse(fs flagSet, args []string, rest int) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.help()
		return err
	case err != nil:
		word, _, _ := strings.Cut(fs.Name(), " ")
		return wrong("%w; darwaza help %s lists the flags", err, word)
	case fs.NArg() > rest:
		return wrong("%q is one argument too many", fs.Arg(rest))
	}
	return nil
}

func runVersion(_ context.Context, c console, args []string) error {
	if err := parse(flags(c, "version", "", "Prints the version."), args, 0); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "darwaza %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
