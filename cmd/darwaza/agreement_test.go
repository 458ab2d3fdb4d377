// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

// decisions are what the scenarios of the border markets' package come to, as a record
// keeps them.
func decisions(ts interface{ Check(error) }) []byte {
	dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	ts.Check(err)
	e, err := agreement.Load(dir)
	ts.Check(err)
	law, err := rules.Compile(e)
	ts.Check(err)
	var out []byte
	seq := uint64(0)
	for _, r := range law.Test(e) {
		for i, q := range r.Queries {
			seq++
			a := law.Keep(q, r.Verdicts[i])
			b, err := json.Marshal(rules.Recorded{Seq: seq, Query: json.RawMessage(a.Query), Withheld: a.Withheld, Missing: a.Missing, Outcome: a.Outcome, Reasons: r.Verdicts[i].Reasons})
			ts.Check(err)
			out = append(append(out, b...), '\n')
		}
	}
	return out
}

// TestAgreementCommand runs the scripts in testdata/script. Each begins with the package
// of the border markets in the folder pkg, and has three commands of its own: darwaza,
// which is the program; status, which checks the exit status of the last darwaza; and
// edit, which replaces a text in a file. rootkey makes a side's root key and public keys, and
// decisions writes what the scenarios of pkg come to as recorded decisions.
func TestAgreementCommand(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			dir, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
			if err != nil {
				return err
			}
			return os.CopyFS(filepath.Join(env.WorkDir, "pkg"), dir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"darwaza": func(ts *testscript.TestScript, neg bool, args []string) {
				cmd := program(context.Background(), args...)
				cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), ts.Stdout(), ts.Stderr()
				if err := cmd.Run(); cmd.ProcessState == nil {
					ts.Fatalf("%v", err)
				}
				status := cmd.ProcessState.ExitCode()
				ts.Setenv("STATUS", strconv.Itoa(status))
				if neg == (status == 0) {
					ts.Fatalf("exit status %d", status)
				}
			},
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := ts.Getenv("STATUS"); got != args[0] {
					ts.Fatalf("exit status %s, want %s", got, args[0])
				}
			},
			"edit": func(ts *testscript.TestScript, _ bool, args []string) {
				had := ts.ReadFile(args[0])
				if !strings.Contains(had, args[1]) {
					ts.Fatalf("%s has no %q", args[0], args[1])
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(had, args[1], args[2], 1)), 0o644))
			},
			"decisions": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), decisions(ts), 0o644))
			},
			"rootkey": func(ts *testscript.TestScript, _ bool, args []string) {
				k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				ts.Check(err)
				der, err := x509.MarshalPKCS8PrivateKey(k)
				ts.Check(err)
				point, err := k.PublicKey.Bytes()
				ts.Check(err)
				_, public := agreement.KeysFile(agreement.Side(args[0]), agreement.Keys{Root: point, Exchange: make([]byte, 32), Log: "example/" + args[0] + "+12345678+AbCd"})
				ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
				ts.Check(os.WriteFile(ts.MkAbs(args[0]+".yaml"), public, 0o644))
			},
		},
	})
}
