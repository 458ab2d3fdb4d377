// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build js && wasm

// Command verdictwasm is the law in a browser: it answers a question about an edition
// with the bytes that the server and the command line answer.
//
// It sets two global functions:
//
//	darwazaCheck(bundle: Uint8Array, query: string) → {verdict: string} | {error: string}
//	darwazaExplain(bundle: Uint8Array, query: string) → {explanation: string} | {error: string}
//
// bundle is an agreement package in one file, query a question as package rules writes
// it, verdict the canonical encoding, explanation the encoding of everything behind it, as
// the server answers ?explain. Nothing is kept but the last edition, compiled.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"syscall/js"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/rules"
)

func main() {
	var k keeper
	export("darwazaCheck", "verdict", func(args []js.Value) ([]byte, error) {
		q, err := k.question(args)
		if err != nil {
			return nil, err
		}
		return k.law.Check(q).Bytes(), nil
	})
	export("darwazaExplain", "explanation", func(args []js.Value) ([]byte, error) {
		q, err := k.question(args)
		if err != nil {
			return nil, err
		}
		return json.Marshal(k.law.Explain(q))
	})
	select {} // the page calls them from now on
}

// export gives the page a function whose answer stands in that field.
func export(name, field string, f func([]js.Value) ([]byte, error)) {
	js.Global().Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
		b, err := f(args)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{field: string(b)}
	}))
}

// keeper keeps the last edition, compiled.
type keeper struct {
	sum [32]byte
	law *rules.Law
}

// question reads a bundle and a question about it.
func (k *keeper) question(args []js.Value) (rules.Query, error) {
	if len(args) != 2 || args[1].Type() != js.TypeString {
		return rules.Query{}, errors.New("want a bundle and a question")
	}
	if !args[0].InstanceOf(js.Global().Get("Uint8Array")) || args[0].Length() > agreement.MaxBundle {
		return rules.Query{}, errors.New("the bundle is no Uint8Array, or is too large")
	}
	bundle := make([]byte, args[0].Length())
	js.CopyBytesToGo(bundle, args[0])
	if sum := sha256.Sum256(bundle); k.law == nil || sum != k.sum {
		law, err := compile(bundle)
		if err != nil {
			return rules.Query{}, err
		}
		k.law, k.sum = law, sum
	}
	return k.law.ParseQuery([]byte(args[1].String()))
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
