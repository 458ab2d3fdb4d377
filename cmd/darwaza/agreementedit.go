// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
)

func bundleVerb(flagSet) func(context.Context, console, []string) error {
	return func(_ context.Context, c console, args []string) error {
		e, err := read(args[0])
		if err != nil {
			return err
		}
		fsys, err := post.OpenPackage(args[0])
		if err != nil {
			return err
		}
		b, err := agreement.Bundle(fsys)
		if err != nil {
			return problem.Wrap(problem.Invalid, "agreement.package", err)
		}
		if err := place(args[1], b); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s holds edition %d of %s, %d bytes\nhash %x\n", args[1], e.Number, e.ID, len(b), e.Hash)
		return nil
	}
}
