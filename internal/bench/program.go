// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/post"
)

// program returns the path of the program itself, which `make build` puts beside this one.
func program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	p := filepath.Join(filepath.Dir(self), "darwaza")
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("the program is not there (make build): %w", err)
	}
	return p, nil
}

// playDay measures the seconds of `darwaza demo --play`, from start to exit.
func playDay(ctx context.Context, say func(string, ...any)) (float64, error) {
	p, err := program()
	if err != nil {
		return 0, err
	}
	var seconds []float64
	for round := range 3 {
		cmd := exec.CommandContext(ctx, p, "demo", "--play", "--port", "0")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		begun := time.Now()
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("%w: %s", err, lastLines(out.String(), 5))
		}
		seconds = append(seconds, time.Since(begun).Seconds())
		say("round %d: %.1f s; %s", round+1, seconds[round], lastLines(out.String(), 1))
	}
	return median(seconds), nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " / ")
}

// serveIdle measures the resident megabytes of a post that serves and has nothing to do.
func serveIdle(ctx context.Context, say func(string, ...any)) (float64, error) {
	if runtime.GOOS != "linux" {
		return 0, errors.New("resident memory is read from /proc")
	}
	p, err := program()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "darwaza-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr := l.Addr().String()
	l.Close()
	config, err := makePost(ctx, dir, addr)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, p, "serve", "--config", config, "--http")
	var faults bytes.Buffer
	cmd.Stderr = &faults
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	for n := 0; ; n++ {
		resp, err := http.Get("http://" + addr + "/healthz")
		if err == nil {
			resp.Body.Close()
			break
		}
		if n == 300 {
			return 0, fmt.Errorf("the post does not answer: %w: %s", err, lastLines(faults.String(), 5))
		}
		time.Sleep(50 * time.Millisecond)
	}
	for range 20 { // somebody looks at the board now and then
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			return 0, err
		}
		resp.Body.Close()
	}
	var most float64
	for range 10 {
		time.Sleep(500 * time.Millisecond)
		mb, err := resident(cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		most = max(most, mb)
	}
	say("%.1f MB resident at most, over five idle seconds", most)
	return most, nil
}

// makePost makes a post of side A whose agreement both sides have signed, and returns its
// configuration.
func makePost(ctx context.Context, dir, listen string) (config string, err error) {
	folder := filepath.Join(dir, "agreement")
	pkg, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(folder, pkg); err != nil {
		return "", err
	}
	write := func(name string, data []byte) error {
		name = filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o600)
	}
	made := map[agreement.Side]*post.Made{}
	for _, side := range []agreement.Side{agreement.B, agreement.A} {
		made[side], err = post.Init(ctx, post.New{
			Dir: filepath.Join(dir, string(side)), Side: side, Agreement: folder, Listen: listen, HTTP: true, Now: time.Now(),
			Officers: []post.NewOfficer{{Login: "admin", Name: "Somebody", Roles: []people.Role{people.Admin}}},
		})
		if err != nil {
			return "", err
		}
	}
	for side, m := range made {
		public, err := m.Keys.Public()
		if err != nil {
			return "", err
		}
		if err := write(agreement.KeysFile(side, public)); err != nil {
			return "", err
		}
	}
	e, err := agreement.Load(os.DirFS(folder))
	if err != nil {
		return "", err
	}
	for side, m := range made {
		name, sig, err := agreement.Sign(e, side, m.Keys.Root)
		if err != nil {
			return "", err
		}
		if err := write(name, sig); err != nil {
			return "", err
		}
	}
	return made[agreement.A].File, nil
}

// resident returns the resident memory of a process in megabytes of 1,000,000 bytes.
func resident(pid int) (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, errors.New("no VmRSS in /proc")
}
