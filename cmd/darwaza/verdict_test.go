// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/sim"
)

// TestSameVerdictEverywhere asks every scenario of the agreement of the law that running
// servers of both sides decide by, and of the command line in other processes, in time
// zones that are not the agreement's: the verdicts are the same, byte for byte.
func TestSameVerdictEverywhere(t *testing.T) {
	d, err := sim.Start(t.Context(), sim.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	type scenario struct {
		ID       string   `json:"id"`
		Passed   bool     `json:"passed"`
		Verdicts [][]byte `json:"verdicts"`
	}
	asked := 0
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		law := d.Of(side).Post.Law()
		var served []scenario
		for _, e := range law.Editions() {
			for _, r := range law.Test(e) {
				x := scenario{ID: r.Scenario.ID, Passed: r.Passed()}
				for _, v := range r.Verdicts {
					x.Verdicts = append(x.Verdicts, v.Bytes())
				}
				served = append(served, x)
			}
		}
		for _, env := range [][]string{{"TZ=Pacific/Chatham", "LC_ALL=fa_IR", "GOMAXPROCS=1"}, {"TZ=America/St_Johns", "ZONEINFO=/nowhere"}} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			cmd := program(ctx, "agreement", "test", "--json", filepath.Join(d.Dir, string(side), "agreement"))
			cmd.Env = append(cmd.Env, env...)
			out, err := cmd.Output()
			cancel()
			if err != nil {
				t.Fatalf("%v: %v", env, err)
			}
			var told struct{ Scenarios []scenario }
			if err := json.Unmarshal(out, &told); err != nil {
				t.Fatal(err)
			}
			if len(told.Scenarios) != len(served) {
				t.Fatalf("%v: %d scenarios, the server has %d", env, len(told.Scenarios), len(served))
			}
			for i, want := range served {
				got := told.Scenarios[i]
				if got.ID != want.ID || !got.Passed || !want.Passed || len(got.Verdicts) != len(want.Verdicts) || len(want.Verdicts) == 0 {
					t.Errorf("%v: %+v, the server has %+v", env, got, want)
					continue
				}
				for n := range want.Verdicts {
					asked++
					if !bytes.Equal(got.Verdicts[n], want.Verdicts[n]) || len(want.Verdicts[n]) == 0 {
						t.Errorf("%v: %s, ask %d, side %s\nserver  %s\ncommand %s", env, got.ID, n+1, side, want.Verdicts[n], got.Verdicts[n])
					}
				}
			}
		}
	}
	if asked < 4*30 {
		t.Errorf("%d verdicts were compared", asked)
	}
}
