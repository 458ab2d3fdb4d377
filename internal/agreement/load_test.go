// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// BenchmarkLoad reads and checks the package of the border markets, with its 122 lines
// named in three languages.
func BenchmarkLoad(b *testing.B) {
	m := files(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoadWide reads and checks a package with every kind of clause.
func BenchmarkLoadWide(b *testing.B) {
	m := wide(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(m); err != nil {
			b.Fatal(err)
		}
	}
}

// repeat writes a head and n lines made by a function, as far as one file may be long.
func repeat(head string, limit, n int, line func(i int) string) *fstest.MapFile {
	var b strings.Builder
	b.WriteString(head)
	for i := range n {
		l := line(i)
		if b.Len()+len(l) > limit {
			break
		}
		b.WriteString(l)
	}
	return &fstest.MapFile{Data: []byte(b.String())}
}

// TestHostile wants a refusal, or a reading, of packages made to be costly, within a
// second and 64 MiB of memory beside what was there before.
func TestHostile(t *testing.T) {
	clause := func(id, more string) string {
		return fmt.Sprintf("  - {id: %s, kind: rule, at: [gate], text: {en: x}%s}\n", id, more)
	}
	head := "instrument: treaty\nclauses:\n"
	for name, x := range map[string]struct {
		refused bool
		change  func(m fstest.MapFS)
	}{
		"lists as large as may be": {true, func(m fstest.MapFS) {
			for i := range 7 {
				m[fmt.Sprintf("lists/l%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "id: l%d\ntitle: {en: x}\nsource: x\nlines: l%d.csv\n", i, i)}
				m[fmt.Sprintf("lists/l%d.csv", i)] = repeat("code,en,words\n", maxFile, maxLines, func(j int) string {
					return fmt.Sprintf("%08d,%s,a|b|c\n", j, strings.Repeat("x", 30))
				})
			}
		}},
		"lines of empty cells": {true, func(m fstest.MapFS) {
			for i := range 7 {
				m[fmt.Sprintf("lists/l%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "id: l%d\ntitle: {en: x}\nsource: x\nlines: l%d.csv\n", i, i)}
				m[fmt.Sprintf("lists/l%d.csv", i)] = repeat("code,en,words,class,direction,importer,exporter,home,from,until,exclude,site,side,fa,ur,unit,icon,category,rate\n", maxFile, maxLines, func(j int) string {
					return fmt.Sprintf("%08d%s\n", j, strings.Repeat(",", 18))
				})
			}
		}},
		"one code for many cases": {true, func(m fstest.MapFS) {
			m["lists/goods.csv"] = repeat("code,category,home,en\n", maxFile, maxLines, func(j int) string { return fmt.Sprintf("07,I,h%d,x\n", j) })
		}},
		"many codes for many cases": {true, func(m fstest.MapFS) {
			m["lists/goods.csv"] = repeat("code,category,home,en\n", maxFile, maxLines, func(j int) string { return fmt.Sprintf("%04d,I,h%d,x\n", j/60, j) })
		}},
		"a place within ten thousand": {true, func(m fstest.MapFS) {
			m["lists/places.csv"] = repeat("id,parent,en\np0,,x\n", maxFile, maxLines-1, func(j int) string { return fmt.Sprintf("p%d,p%d,x\n", j+1, j) })
		}},
		"places in a ring": {true, func(m fstest.MapFS) {
			m["lists/places.csv"] = repeat("id,parent,en\np0,p9999,x\n", maxFile, 9999, func(j int) string { return fmt.Sprintf("p%d,p%d,x\n", j+1, j) })
		}},
		"a table of ranges": {false, func(m fstest.MapFS) {
			m["tables/risk.yaml"] = &fstest.MapFile{Data: []byte("id: risk\ntitle: {en: x}\nsource: x\ninputs: [good.value, good.weight, freight, fever, home.km]\noutputs: [risk]\n")}
			m["tables/risk.csv"] = repeat("good.value,good.weight,freight,fever,home.km,risk\n", maxFile, maxRows, func(j int) string { return fmt.Sprintf("%d,%d,%d,%d,%d,low\n", j, j, j, j, j) })
		}},
		"a table too long": {true, func(m fstest.MapFS) {
			m["tables/risk.csv"] = repeat("class,paper.stamped,load,outcome,risk\n", maxFile, 1001, func(j int) string { return "trader,-,-,ALLOW,low\n" })
		}},
		"values without end": {true, func(m fstest.MapFS) {
			m["parameters/many.yaml"] = repeat("parameters:\n  - id: many\n    text: {en: x}\n    unit: count\n    values:\n", maxYAML, 5000, func(j int) string {
				return fmt.Sprintf("      - {from: 2025-01-01, until: 2025-%02d-%02d, value: 1, source: x, for: {home: h%d}}\n", 2+j%10, 1+j%28, j)
			})
		}},
		"sites without end": {true, func(m fstest.MapFS) {
			m["agreement.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(m["agreement.yaml"].Data), "sites:\n", string(repeat("sites:\n", maxYAML/2, 5000, func(j int) string {
				return fmt.Sprintf("  - {id: s%d, number: %d, name: {en: x}, zone: UTC, source: x}\n", j, j+3)
			}).Data), 1))}
		}},
		"attributes without end": {true, func(m fstest.MapFS) {
			m["agreement.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(m["agreement.yaml"].Data), "attributes:\n", string(repeat("attributes:\n", maxYAML/2, 5000, func(j int) string {
				return fmt.Sprintf("  - {id: a%d, type: int, name: {en: x}, derived: true}\n", j)
			}).Data), 1))}
		}},
		"clauses of one figure": {true, func(m fstest.MapFS) {
			for i := range 3 {
				m[fmt.Sprintf("clauses/c%d.yaml", i)] = repeat(head, maxYAML, 5000, func(j int) string {
					return fmt.Sprintf("  - {id: C%d-%d, kind: amount, at: [goods], amount: x, text: {en: x}, value: good.value}\n", i, j)
				})
			}
		}},
		"clauses of many periods": {true, func(m fstest.MapFS) {
			for i := range 3 {
				m[fmt.Sprintf("clauses/c%d.yaml", i)] = repeat(head, maxYAML, 60, func(j int) string {
					return fmt.Sprintf("  - {id: C%d-%d, kind: amount, at: [goods], amount: x, text: {en: x}, value: good.value, holds: [%s]}\n", i, j,
						strings.Repeat(fmt.Sprintf("{from: 2025-%02d-%02d, until: 2025-%02d-%02d, sites: [north]},", 1+i%12, 1+j%28, 1+i%12, 2+j%28), 60))
				})
			}
		}},
		"overrides without end": {true, func(m fstest.MapFS) {
			for i := range 3 {
				m[fmt.Sprintf("clauses/c%d.yaml", i)] = repeat(head, maxYAML, 5000, func(j int) string {
					return clause(fmt.Sprintf("C%d-%d", i, j), ", overrides: ["+strings.Repeat("C0-1,", 90)+"]")
				})
			}
		}},
		"one long list": {true, func(m fstest.MapFS) {
			m["clauses/c.yaml"] = &fstest.MapFile{Data: []byte(head + clause("C", ", overrides: ["+strings.Repeat("T-1,", 50000)+"]"))}
		}},
		"a list in a clause": {true, func(m fstest.MapFS) {
			m["clauses/c.yaml"] = &fstest.MapFile{Data: []byte(head + clause("C", ", overrides: ["+strings.Repeat("T-1,", 101)+"]"))}
		}},
		"a long condition": {true, func(m fstest.MapFS) {
			m["clauses/c.yaml"] = &fstest.MapFile{Data: []byte(head + clause("C", ", when: \""+strings.Repeat("good.value + ", 15000)+" > 0\""))}
		}},
		"faults without end": {true, func(m fstest.MapFS) {
			for i := range 3 {
				m[fmt.Sprintf("clauses/c%d.yaml", i)] = repeat(head, maxYAML, 20000, func(j int) string { return "  - {id: X, at: [z]}\n" })
			}
		}},
		"words without end": {true, func(m fstest.MapFS) {
			for i := range 6 {
				m[fmt.Sprintf("tests/t%d.yaml", i)] = repeat("scenarios:\n", maxYAML, 20000, func(j int) string { return "#" + strings.Repeat("x", 98) + "\n" })
			}
		}},
		"fewer faults, and still too many": {true, func(m fstest.MapFS) {
			m["clauses/c.yaml"] = repeat(head, maxYAML, 1500, func(j int) string { return "  - {id: X, at: [z]}\n" })
		}},
		"what nobody sees": {true, func(m fstest.MapFS) {
			m["README.md"] = &fstest.MapFile{Data: []byte("a\u200bb\n")}
		}},
		"scenarios without end": {false, func(m fstest.MapFS) {
			for i := range 3 {
				m[fmt.Sprintf("tests/t%d.yaml", i)] = repeat("scenarios:\n", maxYAML, 20000, func(j int) string {
					return fmt.Sprintf("  - {id: s%d-%d, title: x, point: gate, at: 2025-01-02T10:00:00Z, site: north, facts: {shown: true}, asks: [{expect: {outcome: ALLOW}}]}\n", i, j)
				})
			}
		}},
		"a mapping of many keys": {true, func(m fstest.MapFS) {
			m["tests/k.yaml"] = &fstest.MapFile{Data: []byte("scenarios:\n  - {id: k, title: x, point: gate, at: 2025-01-02T10:00:00Z, facts: {" + string(repeat("", 200000, 20000, func(j int) string { return fmt.Sprintf("k%d: 1, ", j) }).Data) + "}}\n")}
		}},
		"anchors that multiply": {true, func(m fstest.MapFS) {
			m["tests/k.yaml"] = &fstest.MapFile{Data: []byte("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n")}
		}},
		"flow within flow": {true, func(m fstest.MapFS) {
			m["tests/k.yaml"] = &fstest.MapFile{Data: []byte("scenarios: " + strings.Repeat("[{a: ", 50000))}
		}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			m := wide(t)
			x.change(m)
			// Memory is what lives at once, and a quarter of garbage. Time is that of this
			// process: others may be at work beside it.
			defer debug.SetGCPercent(debug.SetGCPercent(25))
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			var peak, stop atomic.Uint64
			done := make(chan bool)
			go func() {
				var ms runtime.MemStats
				for stop.Load() == 0 {
					runtime.ReadMemStats(&ms)
					peak.Store(max(peak.Load(), ms.HeapAlloc))
					time.Sleep(5 * time.Millisecond)
				}
				close(done)
			}()
			start := spent(t)
			e, faults := Check(m)
			if e != nil {
				e.Untested()
			}
			took := spent(t) - start
			stop.Store(1)
			<-done
			used := (int64(peak.Load()) - int64(before.HeapAlloc)) >> 20
			t.Logf("%v, %d MiB, %d faults", took.Round(time.Millisecond), used, len(faults.Errors()))
			// A second is what a quiet processor may take; other work that shares it shows in
			// processor time as well.
			if took > 3*time.Second || used > 64 {
				t.Errorf("took %v and %d MiB", took, used)
			}
			if says := hostileSays()[name]; says != "" && !strings.Contains(faults.Error(), says) {
				t.Errorf("no fault says %q: %v", says, faults.Errors())
			}
			if len(faults) > 2*maxFaults+2 {
				t.Errorf("%d faults and warnings", len(faults))
			}
			if refused := len(faults.Errors()) > 0; refused != x.refused {
				t.Errorf("refused: %t, want %t: %v", refused, x.refused, faults.Errors())
			}
		})
	}
}

// hostileSays is what the refusal of some of the packages says.
func hostileSays() map[string]string {
	return map[string]string{
		"one long list": "more than 2000 entries in overrides", "faults without end": "more than 2000 entries in clauses", "values without end": "more than 2000 entries in values",
		"attributes without end": "more than 2000 entries in attributes", "words without end": "larger than 1048576 bytes together", "a long condition": "more than 2000 bytes",
		"fewer faults, and still too many": "more than 1000 faults", "what nobody sees": "a character that nobody sees, U+200B", "places in a ring": "lies in itself",
		"one code for many cases": "64 lines", "clauses of many periods": "takes too long to check", "a table too long": "more than 1000 rows", "a list in a clause": "more than 100 entries in overrides",
	}
}

// spent is the processor time that this process has had.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// FuzzLoad feeds bytes of strangers to every reader of a package that has every kind of
// everything. Load must refuse or read, must not panic, and must come to the same twice.
func FuzzLoad(f *testing.F) {
	m := wide(f)
	names := slices.Sorted(maps.Keys(m))
	for i, n := range names {
		f.Add(uint8(i), m[n].Data)
	}
	for _, s := range []string{
		"a: &x [*x]\n", "? - ? -\n", "{[", "a: 1\na: 2\n", "clauses: [{}]\n", "instrument: treaty\nclauses: [{id: a, kind: ledger, then: {}, of: [], to: {}, event: [[]], by: {}}]\n",
		"code\n", "code,home\n07,\n07,\n", "class,paper.stamped,load,outcome,risk\n!,..,<,,\n", "id,parent,en\na,a,\n", "parameters: [{values: [{for: {a: {}}}]}]\n",
		"scenarios: [{events: {trip: [1]}, facts: {papers: {}}, asks: [{}]}]\n", "site: north\nhours: [{from: 9999-12-31, until: 0001-01-01}]\n",
	} {
		for i, n := range names {
			// What has a colon is YAML, the rest CSV; each goes to one file in three.
			if strings.Contains(s, ":") == (path.Ext(n) == ".yaml") && i%3 == len(s)%3 {
				f.Add(uint8(i), []byte(s))
			}
		}
	}
	base, err := Load(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		x := maps.Clone(m)
		name := names[int(which)%len(names)]
		x[name] = &fstest.MapFile{Data: b}
		e, err := Load(x)
		if (e == nil) == (err == nil) {
			t.Fatalf("%s: edition %t, error %v", name, e != nil, err)
		}
		_, faults := Check(x)
		if err == nil && len(faults.Errors()) > 0 || err != nil && err.Error() != faults.Errors().Error() {
			t.Fatalf("%s: %v, then %v", name, err, faults.Errors())
		}
		if e != nil {
			e.Untested()
			e.CheckAgainst(base, base.From)
			base.CheckAgainst(e, base.From)
			e.CheckNomenclature(map[string]bool{"0702": true})
			for _, c := range e.Clauses {
				e.ReadBy(c)
			}
		}
	})
}
