// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

func runDemo(ctx context.Context, c console, args []string) error    { return wrong("not yet") }
func runInit(ctx context.Context, c console, args []string) error    { return wrong("not yet") }
func runServe(ctx context.Context, c console, args []string) error   { return wrong("not yet") }
func runPeople(ctx context.Context, c console, args []string) error  { return wrong("not yet") }
func runBackup(ctx context.Context, c console, args []string) error  { return wrong("not yet") }
func runRestore(ctx context.Context, c console, args []string) error { return wrong("not yet") }
func runRecord(ctx context.Context, c console, args []string) error  { return wrong("not yet") }
