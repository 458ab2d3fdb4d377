// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoServer says that this machine has no PostgreSQL to start.
var ErrNoServer = errors.New("storetest: no PostgreSQL is installed (initdb is not found)")

// A Server is a PostgreSQL of our own, on a port of the loopback and with its data in a
// temporary folder. It ends with the process that started it, however that ends: it runs
// under a shell that waits for the end of a pipe.
type Server struct {
	port int
	dir  string
	pipe io.Closer
	wait func() error
}

// StartServer starts a server. durable is whether it flushes what it writes: a test that
// does not stop the machine may do without, a measurement may not.
func StartServer(durable bool) (*Server, error) {
	bin, err := findServer()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "darwaza-pg-")
	if err != nil {
		return nil, err
	}
	if as != nil {
		err = os.Chown(dir, int(as.Uid), int(as.Gid))
	}
	if err == nil {
		err = run(as, dir, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-A", "trust", "-U", "darwaza", "-E", "UTF8", "--locale=C", "--no-sync")
	}
	port := 0
	if err == nil {
		port, err = freePort()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	fsync := "off"
	if durable {
		fsync = "on"
	}
	// The shell stops the server by its process id once nobody holds the other end of its input.
	script := `"$1" -D "$2/data" -p "$3" -h 127.0.0.1 -k "" -c fsync="$4" -c shared_buffers=128MB -c max_connections=200 \
	-c max_wal_size=4GB -c logging_collector=off >"$2/log" 2>&1 </dev/null & pid=$!
read -r _ || true
kill -INT "$pid"
wait "$pid"
rm -rf "$2"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", filepath.Join(bin, "postgres"), dir, strconv.Itoa(port), fsync)
	cmd.Dir = "/"
	// A process group of its own, so that an interrupt of the terminal reaches the tests first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s := &Server{port: port, dir: dir, pipe: pipe, wait: cmd.Wait}
	if err := s.ready(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		s.Stop()
		return nil, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(log))
	}
	return s, nil
}

// findServer returns the folder of the newest server's programs.
func findServer() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", ErrNoServer
	}
	version := func(p string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(p))))
		return n
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	return filepath.Dir(found[0]), nil
}

// unprivileged returns whom to run the server as where we are root, who may not run one.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("storetest: root may not run PostgreSQL, and there is no user postgres or nobody")
}

func run(as *syscall.Credential, dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, bytes.TrimSpace(out))
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// URL returns the address of a database of the server.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://darwaza@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *Server) ready() error {
	var err error
	for range 300 {
		var c *pgx.Conn
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		if c, err = pgx.Connect(ctx, s.URL("postgres")); err == nil {
			err = c.Close(ctx)
			cancel()
			return err
		}
		cancel()
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("storetest: the server does not answer: %w", err)
}

// Database makes an empty database and returns its address.
func (s *Server) Database(ctx context.Context) (string, error) {
	var r [8]byte
	rand.Read(r[:])
	name := "t" + hex.EncodeToString(r[:])
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return s.URL(name), nil
}

// Stop stops the server and removes its data.
func (s *Server) Stop() error {
	s.pipe.Close()
	return s.wait()
}

// shared is the one server of a test binary. It ends with the binary.
var shared = sync.OnceValues(func() (*Server, error) { return StartServer(false) })

// Postgres returns the address of an empty database on a server that the tests of a
// package share. It skips the test where no PostgreSQL is installed.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if errors.Is(err, ErrNoServer) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	url, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}
