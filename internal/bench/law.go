// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/andybalholm/brotli"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// The packages by which the law is measured.
const (
	marketPackage  = "pk-ir-border-markets"
	driversPackage = "eac-truck-drivers"
	polioPackage   = "who-polio"
)

// packages are the folders that come with the program.
func packages() ([]string, error) {
	entries, err := fs.ReadDir(agreements.FS, ".")
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// readPackage reads a package and checks it as darwaza agreement check does.
func readPackage(name string) (*agreement.Edition, error) {
	dir, err := fs.Sub(agreements.FS, name)
	if err != nil {
		return nil, err
	}
	e, faults := agreement.Check(dir)
	if e != nil {
		faults = append(faults, rules.Check(e)...)
		faults = append(faults, e.Untested()...)
	}
	if errs := faults.Errors(); len(errs) > 0 {
		return nil, fmt.Errorf("%s: %s, the first: %s", name, countOf(len(errs), "fault"), errs[0])
	}
	return e, nil
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// agreementLoad measures the milliseconds in which the largest package, by its bytes, is
// read and checked, conditions included.
func agreementLoad(ctx context.Context, say func(string, ...any)) (float64, error) {
	names, err := packages()
	if err != nil {
		return 0, err
	}
	var largest string
	var most int64
	for _, name := range names {
		e, err := readPackage(name)
		if err != nil {
			return 0, err
		}
		var n int64
		for _, f := range e.Files {
			n += f.Size
		}
		if n > most {
			largest, most = name, n
		}
	}
	var ms []float64
	for range 9 {
		runtime.GC()
		begun := time.Now()
		if _, err := readPackage(largest); err != nil {
			return 0, err
		}
		ms = append(ms, float64(time.Since(begun).Microseconds())/1000)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	say("%s, %d kB: %.0f ms, the fastest of 9 %.0f", largest, most/1000, median(ms), minimum(ms))
	return median(ms), nil
}

func minimum(v []float64) float64 {
	least := v[0]
	for _, x := range v {
		least = min(least, x)
	}
	return least
}

func compiledLaw(name string) (*agreement.Edition, *rules.Law, error) {
	e, err := readPackage(name)
	if err != nil {
		return nil, nil, err
	}
	law, err := rules.Compile(e)
	return e, law, err
}

// desk is the question of the goods desk: a lot within the limits, of somebody who has
// bought ten before.
func desk() rules.Query {
	q := rules.Query{Point: rules.Goods, At: time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC), Site: "mand-pishin", Side: "A",
		Facts: rules.Facts{"good.code": "07020000", "good.value": int64(300), "good.quantity": int64(1000), "person.document": "cnic", "class": "visitor", "receipt.named": true}}
	for range 10 {
		q.Lots = append(q.Lots, rules.Lot{Category: "II", Value: 300, Regime: "concession", Site: "mand-pishin"})
	}
	return q
}

// micros measures the microseconds of f, the median of rounds.
func micros(ctx context.Context, rounds int, f func()) (float64, error) {
	var all []float64
	for range rounds {
		took, err := timed(50*time.Millisecond, func(int) error { f(); return nil })
		if err != nil {
			return 0, err
		}
		all = append(all, took)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return median(all), nil
}

// verdictDesk measures the microseconds of a verdict at the goods desk under Part VIII,
// with ten earlier purchases and its explanation recorded.
func verdictDesk(ctx context.Context, say func(string, ...any)) (float64, error) {
	_, law, err := compiledLaw(marketPackage)
	if err != nil {
		return 0, err
	}
	q := desk()
	v := law.Check(q)
	if v.Outcome != reason.Allow || len(v.Steps) == 0 || len(v.Amounts) == 0 {
		return 0, fmt.Errorf("the lot is answered %s, %v", v.Outcome, v.Reasons)
	}
	n, err := micros(ctx, 21, func() { law.Check(q) })
	say("%.1f µs, %d steps, %d figures", n, len(v.Steps), len(v.Amounts))
	return n, err
}

// crossing finds the question of a package's scenarios at the gate that is let through
// and asks the most clauses.
func crossing(name string) (*rules.Law, rules.Query, error) {
	e, law, err := compiledLaw(name)
	if err != nil {
		return nil, rules.Query{}, err
	}
	var best rules.Query
	most := -1
	for _, r := range law.Test(e) {
		for i, v := range r.Verdicts {
			n := 0
			for _, s := range v.Steps {
				if s.Did != "dormant" {
					n++
				}
			}
			if r.Queries[i].Point == rules.Gate && v.Outcome == reason.Allow && n > most {
				best, most = r.Queries[i], n
			}
		}
	}
	if most < 0 {
		return nil, best, fmt.Errorf("%s: no scenario at the gate is let through", name)
	}
	return law, best, nil
}

// verdictGate measures the microseconds of the two verdicts on a driver who is under the
// drivers' protocol and the polio rules together.
func verdictGate(ctx context.Context, say func(string, ...any)) (float64, error) {
	drivers, one, err := crossing(driversPackage)
	if err != nil {
		return 0, err
	}
	polio, two, err := crossing(polioPackage)
	if err != nil {
		return 0, err
	}
	n, err := micros(ctx, 21, func() { drivers.Check(one).And(polio.Check(two)) })
	say("%.1f µs for both", n)
	return n, err
}

// verdictCEL measures the same verdicts, the desk's and the gate's, as a multiple of the
// bare evaluation by CEL of the conditions that they reach. The bare evaluation is of all
// of them: what a condition derives, the conditions on each event, and the functions that
// look at the question, whose answers a verdict waits for just as well. It is CEL's own, by
// the plan that it makes for itself and with no limit on cost; see rules.Law.Bare. The two
// sides are added up before they are divided: a desk that reaches four conditions beside
// its limits, rates and lists says little of CEL by itself.
func verdictCEL(ctx context.Context, say func(string, ...any)) (float64, error) {
	_, market, err := compiledLaw(marketPackage)
	if err != nil {
		return 0, err
	}
	drivers, one, err := crossing(driversPackage)
	if err != nil {
		return 0, err
	}
	polio, two, err := crossing(polioPackage)
	if err != nil {
		return 0, err
	}
	lot := desk()
	n1, bare1 := market.Bare(lot)
	n2, bare2 := drivers.Bare(one)
	n3, bare3 := polio.Bare(two)
	var ours, bare [2][]float64
	var ratios []float64
	for range 21 {
		var sum [2]float64
		for i, f := range [2][2]func(){
			{bare1, func() { market.Check(lot) }},
			{func() { bare2(); bare3() }, func() { drivers.Check(one).And(polio.Check(two)) }},
		} {
			for n, g := range f {
				took, err := micros(ctx, 1, g)
				if err != nil {
					return 0, err
				}
				sum[n] += took
				if n == 0 {
					bare[i] = append(bare[i], took)
				} else {
					ours[i] = append(ours[i], took)
				}
			}
		}
		ratios = append(ratios, sum[1]/sum[0])
	}
	for i, name := range [...]string{"desk", "gate"} {
		say("%s: %.1f µs, the bare evaluation of %d conditions %.1f µs", name, median(ours[i]), [...]int{n1, n2 + n3}[i], median(bare[i]))
	}
	return median(ratios), nil
}

// decisions is how many recorded decisions a draft is tried on.
const decisions = 1_000_000

// agreementImpact measures the seconds in which `darwaza agreement impact` asks so many
// recorded decisions again, from an export, on two cores.
func agreementImpact(ctx context.Context, say func(string, ...any)) (float64, error) {
	p, err := program()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "darwaza-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	pkg, err := fs.Sub(agreements.FS, marketPackage)
	if err != nil {
		return 0, err
	}
	if err := os.CopyFS(filepath.Join(dir, "draft"), pkg); err != nil {
		return 0, err
	}
	_, law, err := compiledLaw(marketPackage)
	if err != nil {
		return 0, err
	}
	facts := filepath.Join(dir, "decisions.jsonl")
	if err := writeDecisions(law, facts); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, p, "agreement", "impact", "--facts", facts, "--json", filepath.Join(dir, "draft"))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	var out, faults bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &faults
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, faults.String())
	}
	took := time.Since(begun).Seconds()
	var sum struct{ Decisions, Same, Flips int }
	if err := json.Unmarshal(out.Bytes(), &sum); err != nil {
		return 0, err
	}
	if sum.Decisions != decisions || sum.Same != decisions {
		return 0, fmt.Errorf("%d decisions, %d of them the same: %d were wanted", sum.Decisions, sum.Same, decisions)
	}
	say("%.1f s, %.0f decisions a second", took, decisions/took)
	return took, nil
}

// writeDecisions writes an export: lots of a day, each buyer's later ones with the earlier
// ones beside them.
func writeDecisions(law *rules.Law, file string) error {
	codes := []string{"07020000", "07031000", "08105000", "08045000", "09024010"}
	var lines [][]byte
	for i := range 1000 {
		q := desk()
		q.At = q.At.Add(time.Duration(i) * 10 * time.Second)
		q.Facts["good.code"], q.Facts["good.value"] = codes[i%len(codes)], int64(100+i%700)
		q.Lots = q.Lots[:i%4]
		v := law.Check(q)
		a := law.Keep(q, v)
		b, err := json.Marshal(rules.Recorded{Seq: uint64(i), Query: json.RawMessage(a.Query), Withheld: a.Withheld, Missing: a.Missing, Outcome: a.Outcome, Reasons: v.Reasons})
		if err != nil {
			return err
		}
		lines = append(lines, append(b, '\n'))
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range decisions {
		if _, err := w.Write(lines[i%len(lines)]); err != nil {
			return err
		}
	}
	return w.Flush()
}

// wasmSize measures the megabytes of the browser build of the verdict, as `make verdict`
// builds it, compressed as a server would send it: brotli at its greatest quality.
func wasmSize(ctx context.Context, say func(string, ...any)) (float64, error) {
	dir, err := os.MkdirTemp("", "darwaza-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "verdict.wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-l", "-ldflags", "-s -w -buildid=", "-o", out, "darwaza.dev/cmd/verdictwasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=satconv,signext", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, lastLines(string(text), 5))
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	var packed bytes.Buffer
	w := brotli.NewWriterOptions(&packed, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 24})
	if _, err := w.Write(b); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	say("%.1f MB, %d bytes compressed", float64(len(b))/1e6, packed.Len())
	return float64(packed.Len()) / 1e6, nil
}
