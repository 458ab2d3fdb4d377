// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build js && wasm

// Command verdictwasm is the law in a browser: it answers a question about an edition
// with the bytes that the server and the command line answer.
//
// It sets one global function:
//
//	darwazaCheck(bundle: Uint8Array, query: string) → {verdict: string} | {error: string}
//
// bundle is an agreement package in one file, query a question as package rules writes
// it, verdict the canonical encoding. Nothing is kept but the last edition, compiled.
package main

import (
	"crypto/sha256"
	"syscall/js"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

func main() {
	var last [32]byte
	var law *rules.Law
	check := func(_ js.Value, args []js.Value) any {
		if len(args) != 2 || args[1].Type() != js.TypeString {
			return answer("error", "want a bundle and a question")
		}
		bytes := js.Global().Get("Uint8Array")
		if !args[0].InstanceOf(bytes) || args[0].Length() > agreement.MaxBundle {
			return answer("error", "the bundle is no Uint8Array, or is too large")
		}
		bundle := make([]byte, args[0].Length())
		js.CopyBytesToGo(bundle, args[0])
		if sum := sha256.Sum256(bundle); law == nil || sum != last {
			l, err := compile(bundle)
			if err != nil {
				return answer("error", err.Error())
			}
			law, last = l, sum
		}
		q, err := law.ParseQuery([]byte(args[1].String()))
		if err != nil {
			return answer("error", err.Error())
		}
		return answer("verdict", string(law.Check(q).Bytes()))
	}
	js.Global().Set("darwazaCheck", js.FuncOf(check))
	select {} // the page calls check from now on
}

func compile(bundle []byte) (*rules.Law, error) {
	fsys, err := agreement.OpenBundle(bundle)
	if err != nil {
		return nil, err
	}
	e, err := agreement.Load(fsys)
	if err != nil {
		return nil, err
	}
	return rules.Compile(e)
}

func answer(field, text string) any { return map[string]any{field: text} }
