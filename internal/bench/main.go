// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the project promises of its speed. It ends with one line
// for each figure, "FIGURE <id> <value> <bar> ok|short", so that runs can be compared.
// A baseline and what is held against it run in turns on the same machine, and the median
// of the rounds counts: machines are noisy. Its exit status is 0 whatever falls short.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strconv"
	"syscall"
)

// A figure is one measurement with its bar.
type figure struct {
	id      string
	bar     float64
	atLeast bool // the value must reach the bar; else it must not exceed it
	measure func(ctx context.Context, say func(format string, args ...any)) (float64, error)
}

func figures() []figure {
	return []figure{
		{"booking.sqlite", 0.7, true, bookingSQLite},
		{"booking.postgres", 0.7, true, bookingPostgres},
		{"booking.rowlock", 25, true, bookingRowlock},
		{"booking.http", 5000, true, bookingHTTP},
		{"gate.verdict", 1.25, false, gateVerdict},
		{"play.day", 40, false, playDay},
		{"serve.idle", 64, false, serveIdle},
		{"verdict.desk", 25, false, verdictDesk},
		{"verdict.gate", 40, false, verdictGate},
		{"verdict.cel", 3, false, verdictCEL},
		{"proof.dcc", 1.15, false, proofDCC},
		{"proof.day", 1.5, false, proofDay},
		{"rule.list", 2_000_000, true, ruleList},
		{"rule.date", 1_000_000, true, ruleDate},
		{"agreement.load", 300, false, agreementLoad},
		{"agreement.impact", 60, false, agreementImpact},
		{"wasm.size", 3.5, false, wasmSize},
	}
}

func main() {
	only := flag.String("only", "", "measure one figure, by its id")
	profile := flag.String("cpuprofile", "", "write a profile of the processor to this file")
	target := flag.String("load", "", "be the load generator of booking.http against this address")
	token := flag.String("token", "", "token of the load generator")
	flag.Parse()
	if *target != "" {
		if err := load(*target, *token); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		defer pprof.StopCPUProfile()
	}
	var lines []string
	var known []string
	for _, f := range figures() {
		known = append(known, f.id)
		if *only != "" && *only != f.id || ctx.Err() != nil {
			continue
		}
		say := func(format string, args ...any) { fmt.Printf("%-17s %s\n", f.id, fmt.Sprintf(format, args...)) }
		v, err := f.measure(ctx, say)
		verdict := "ok"
		if err != nil {
			say("could not be measured: %v", err)
			verdict = "short"
		} else if f.atLeast && v < f.bar || !f.atLeast && v > f.bar {
			verdict = "short"
		}
		lines = append(lines, fmt.Sprintf("FIGURE %s %s %s %s", f.id, figure3(v), strconv.FormatFloat(f.bar, 'f', -1, 64), verdict))
	}
	if *only != "" && !slices.Contains(known, *only) {
		fmt.Fprintf(os.Stderr, "bench: no figure %q; there are %v\n", *only, known)
		os.Exit(2)
	}
	for _, l := range lines {
		fmt.Println(l)
	}
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}

// figure3 writes a figure to three digits, and never with an exponent.
func figure3(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
