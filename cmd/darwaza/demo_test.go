// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// safeBuffer is what a process prints, while it prints.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestDemo runs the demonstration as a stranger does: it prints where to look and who to
// be, every page says that it is one, and Ctrl-C leaves nothing behind.
func TestDemo(t *testing.T) {
	temp := t.TempDir()
	cmd := program(context.Background(), "demo", "--port", "0")
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	var out, errs safeBuffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}()
	for range 600 {
		if strings.Contains(out.String(), "Ctrl-C") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	text := out.String()
	addresses := regexp.MustCompile(`Side [AB] \(\w+\) +(http://\S+?)/en/ `).FindAllStringSubmatch(text, -1)
	if len(addresses) != 2 {
		t.Fatalf("no two addresses:\n%s%s", text, errs.String())
	}
	for _, login := range []string{"clerk", "gate", "customs", "supervisor", "manager", "admin"} {
		if !strings.Contains(text, login+"-of-side-a") || !strings.Contains(text, login+"-of-side-b") {
			t.Errorf("no sign-in of %s:\n%s", login, text)
		}
	}
	client := &http.Client{Timeout: 20 * time.Second}
	for _, a := range addresses {
		for _, path := range []string{"/en/", "/fa/book", "/ur/sign-in", "/en/demo"} {
			res, err := client.Get(a[1] + path)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			b.ReadFrom(res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK || !strings.Contains(b.String(), `class="banner"`) {
				t.Errorf("%s%s: %s, or no word that this is a demonstration", a[1], path, res.Status)
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, errs.String())
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDemoPlay plays the same small day twice in two processes, and one in a folder that
// is kept, whose record is then checked.
func TestDemoPlay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	args := []string{"demo", "--play", "--visitors", "60", "--vendors", "3", "--seed", "7"}
	first := must(t, append(args, "--dir", dir)...)
	second := must(t, args...)
	table := func(s string) string { s, _, _ = strings.Cut(s, "\nplayed in "); return s }
	if table(first) != table(second) {
		t.Errorf("the same seed gave another table:\n%s\n%s", first, second)
	}
	for _, want := range []string{"60 invented visitors, 3 vendors", "peak inside", "contact-hours", "no-shows", "duty USD", "Answers at the point gate"} {
		if !strings.Contains(first, want) {
			t.Errorf("the table has no %q:\n%s", want, first)
		}
	}
	for _, side := range []string{"A", "B"} {
		if _, err := os.Stat(filepath.Join(dir, side, "post.db")); err != nil {
			t.Fatal(err)
		}
		must(t, "record", "check", "--config", filepath.Join(dir, side, "config.yaml"))
	}
	if _, errs, status := darwaza(t, append(args, "--dir", dir)...); status == 0 || !strings.Contains(errs, "holds") {
		t.Errorf("a demonstration over another: %d %s", status, errs)
	}
}

// TestDemoOutputCloses runs the demonstration for a reader who has gone away: it ends, and
// its folder with it.
func TestDemoOutputCloses(t *testing.T) {
	for _, args := range [][]string{{"demo", "--port", "0"}, {"demo", "--play", "--visitors", "40", "--vendors", "2"}} {
		temp := t.TempDir()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := program(ctx, args...)
		cmd.Env = append(cmd.Env, "TMPDIR="+temp)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		cmd.Stdout, cmd.Stderr = w, w
		err = cmd.Run()
		w.Close()
		if ctx.Err() != nil || cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
			t.Errorf("%v ended by %v, %v", args, err, ctx.Err())
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%v left %v behind, %v", args, left, err)
		}
	}
}
