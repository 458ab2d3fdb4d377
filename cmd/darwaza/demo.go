// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/sim"
)

func runDemo(ctx context.Context, c console, args []string) error {
	fs := flags(c, "demo", "[--play] [flags]", `
Runs a market day at both sides on this machine: two servers, each with its own database,
keys and vault, on a clock that starts on a market day, 2 September 2025. The law is real,
the people are invented. It needs neither rights nor a network, and it removes what it
made when it is stopped with Ctrl-C.

  darwaza demo           a day under way, for you to play in
  darwaza demo --play    a whole day of invented people, as fast as it goes, and its table
  darwaza demo --scenario closure
                         the closure and staged reopening of one crossing in 2020, with its numbers`)
	conf := sim.Config{}
	play := fs.Bool("play", false, "play a whole day through the API of both sides and print what happened")
	scenario := fs.String("scenario", "", "play `closure` through the services of both sides, print what happened, and end")
	fs.Uint64Var(&conf.Seed, "seed", 1, "`number` that makes the people and what they do; the same one makes the same day")
	fs.IntVar(&conf.Port, "port", 8440, "`port` of side A on this machine; side B has the next; 0 for any")
	fs.StringVar(&conf.Dir, "dir", "", "new `folder` to keep; where it is left out, one that is removed at the end")
	speed := fs.Int("speed", 1, "how many times as fast as the machine's the clock of the day runs")
	visitors := fs.Int("visitors", sim.PlayVisitors, "--play: how many visitors")
	vendors := fs.Int("vendors", sim.PlayVendors, "--play: how many vendors")
	log := fs.String("log", "", "log level of both sides, to standard error: debug, info, warn, error; empty for none")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	switch {
	case conf.Port < 0 || conf.Port > 65534:
		return wrong("--port %d is no port", conf.Port)
	case *speed < 1 || *speed > 600:
		return wrong("--speed must be between 1 and 600")
	case *visitors < 1 || *visitors > 20000 || *vendors < 0 || *vendors > 500:
		return wrong("--visitors must be between 1 and 20000, --vendors between 0 and 500")
	}
	switch *scenario {
	case "":
	case "closure":
		return playClosure(c)
	default:
		return wrong("--scenario %q is none: write closure", *scenario)
	}
	if conf.Dir != "" {
		if err := os.MkdirAll(conf.Dir, 0o700); err != nil {
			return wrong("--dir: %w", err)
		}
	}
	// A reader who goes away (demo | head) ends the demonstration as Ctrl-C does: the signal
	// that would end the process at once leaves its folder behind.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bar := newBar(c.err)
	c.out, c.err = &piped{c.out, stop}, &piped{c.err, stop}
	bar.w = c.err
	if *log != "" {
		conf.Log = post.NewLogger(c.err, *log)
	}
	if *play {
		if !given(fs, "port") {
			conf.Port = 0 // nobody looks at it from outside
		}
		r, err := sim.Play(ctx, conf, *visitors, *vendors, bar.tell)
		bar.clear()
		if r != nil {
			r.Table(c.out)
		}
		return err
	}
	d, err := sim.Start(ctx, conf)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Open(ctx, *speed, bar.tell); err != nil {
		return err
	}
	bar.clear()
	tellDemo(c.out, d)
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.out, "\nstopping")
		return d.Close()
	case err := <-d.Failed():
		return err
	}
}

// piped is an output that calls stop once nobody reads it any more.
type piped struct {
	io.Writer
	stop func()
}

// Write writes to the output.
func (p *piped) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.stop()
	}
	return n, err
}

// given reports whether a flag was typed.
func given(fs flagSet, name string) bool {
	was := false
	fs.Visit(func(f *flag.Flag) { was = was || f.Name == name })
	return was
}

// tellDemo says where to look, who to be, and what to try.
func tellDemo(w io.Writer, d *sim.Demo) {
	fmt.Fprintf(w, "A market day at Mand–Pishin. The clock starts at %s in Karachi; the people are invented.\n\n", d.Clock.Now().Format("15:04 on 2 January 2006"))
	for _, s := range []*sim.Side{d.A, d.B} {
		name := "Pakistan"
		if s.Side == agreement.B {
			name = "Iran"
		}
		fmt.Fprintf(w, "Side %s (%s)  %s/en/   sign in: %s/en/sign-in   passes to try: %s/en/demo\n", s.Side, name, s.Address, s.Address, s.Address)
	}
	fmt.Fprintln(w, "\nSign-ins, the same at both sides but for the last letter of the word:")
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i, l := range d.A.People {
		fmt.Fprintf(t, "  %s\tA: %s\tB: %s\t%s\n", l.Login, l.Word, d.B.People[i].Word, rolesOf(l.Roles))
	}
	t.Flush()
	fmt.Fprintf(w, `
What to try:
  1. Book a place as a trader at side A and keep the pass on the screen.
  2. Sign in at side B as gate, paste the pass and the health certificate into the gate's page, in either
     order, add a document and the screening. The pass holds there too, also after the line between the
     sides was cut on %s/en/demo.
  3. Sign in at side A as customs, and buy until the law says no: more than USD 50 of one category,
     more than USD 100 in a day, a good without a displayed value.
  4. Print the receipt, scan the pass out, and look at the day as supervisor.
  5. Book for an hour with a test at the health desk, move it, and see the test move with it. At noon side B
     raises the level of protection: the board and the page of levels of both sides say what it changes.

Ctrl-C stops both sides.
`, d.A.Address)
}

func rolesOf(roles []people.Role) string {
	s := make([]string, len(roles))
	for i, r := range roles {
		s[i] = string(r)
	}
	return strings.Join(s, ", ")
}

// bar shows how far something is: on a terminal in one line, elsewhere in a line now
// and then.
type bar struct {
	w        io.Writer
	terminal bool
	last     time.Time
	shown    int // tenths, elsewhere than on a terminal
}

func newBar(w io.Writer) *bar {
	b := &bar{w: w, shown: -1}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

func (b *bar) tell(done, total int, at time.Time) {
	if total == 0 {
		return
	}
	if !b.terminal {
		if tenth := done * 10 / total; tenth > b.shown {
			b.shown = tenth
			fmt.Fprintf(b.w, "%s  %d of %d\n", at.Format("Mon 15:04"), done, total)
		}
		return
	}
	if now := time.Now(); now.Sub(b.last) > 80*time.Millisecond {
		b.last = now
		const width = 40
		full := done * width / total
		fmt.Fprintf(b.w, "\r%s  [%s%s] %d of %d ", at.Format("Mon 15:04"), strings.Repeat("#", full), strings.Repeat("-", width-full), done, total)
	}
}

func (b *bar) clear() {
	if b.terminal {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", 100))
	}
}

// playClosure prints the closure of 2020, step by step, and what came of it.
func playClosure(c console) error {
	r, err := sim.Reopen()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.On, s.Source, s.What)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(c.out)
	for _, d := range r.Crossed {
		fmt.Fprintf(c.out, "%s  %-9s  %d of those who waited cross\n", d.On, d.On.Weekday(), d.N)
	}
	fmt.Fprintf(c.out, "\npublished end %s, last crossing %s; no-shows %d, cancelled %d, out of order %d\n", r.Ends, r.Last, r.NoShows, r.Cancelled, r.Disordered)
	return nil
}
