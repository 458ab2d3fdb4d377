// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/store/storetest"
)

// asProgram makes the test binary the program itself, so that tests run real processes
// without a second build.
const asProgram = "DARWAZA_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a command line of the program, ready to run.
func program(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// darwaza runs a command to its end and returns what it printed and its exit status.
func darwaza(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := program(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that is to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := darwaza(t, args...)
	if status != 0 {
		t.Fatalf("darwaza %s: exit status %d\n%s%s", strings.Join(args, " "), status, out, errs)
	}
	return out
}

// alwaysOpen lays out the border markets' agreement as an edition that is in force today
// and whose first market is open day and night: what a process does on the machine's clock
// cannot wait for a market day.
func alwaysOpen(t *testing.T, dir string) {
	t.Helper()
	pkg, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, pkg); err != nil {
		t.Fatal(err)
	}
	edit := func(name string, pairs ...string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := string(b)
		for i := 0; i < len(pairs); i += 2 {
			r := regexp.MustCompile(pairs[i])
			if !r.MatchString(s) {
				t.Fatalf("%s has no %q any more", name, pairs[i])
			}
			s = r.ReplaceAllString(s, pairs[i+1])
		}
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit("agreement.yaml", `(?m)^until: .*$`, "until: 2099-01-01")
	edit("schedule/mand-pishin.yaml", `days: \[[^]]*\]`, "days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]",
		`open: \["[^"]*"\]`, `open: ["00:00-24:00"]`, `from: "08:00"`, `from: "00:00"`, `to: "16:00"`, `to: "24:00"`)
	edit("parameters/law.yaml", `(?s)(- id: market\.days.*?value: )\d+`, "${1}7")
	edit("tests/dates.yaml", `2026-06-30T15`, "2098-12-31T15", `2026-06-30T23`, "2098-12-31T23", `2026-07-01T`, "2099-01-01T",
		`expect: \{outcome: CLOSED, clauses: \[P8\(i\)-a\]\}`, `expect: {outcome: ALLOW}`)
}

// testPost is a post that runs as a process of its own.
type testPost struct {
	side    agreement.Side
	dir     string
	config  string
	address string
	client  *http.Client
	cmd     *exec.Cmd
	log     *logLines
}

const testToken = "a token for the tests, not a secret"

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// twoPosts makes two posts by the commands that their people would use.
func twoPosts(t *testing.T) (a, b *testPost) {
	t.Helper()
	dir := t.TempDir()
	pkg := filepath.Join(dir, "agreement")
	alwaysOpen(t, pkg)
	posts := map[agreement.Side]*testPost{}
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		p := &testPost{side: side, dir: filepath.Join(dir, string(side))}
		p.address = freePort(t)
		p.config = filepath.Join(p.dir, "config.yaml")
		posts[side] = p
	}
	for side, p := range posts {
		other := posts[side.Other()]
		out := must(t, "init", "--dir", p.dir, "--side", string(side), "--agreement", pkg, "--listen", p.address, "--name", "127.0.0.1",
			"--peer", "https://"+other.address, "--peer-authority", filepath.Join(other.dir, "keys", "authority.pem"),
			"--officer", "head:admin,supervisor:Head Of Post", "--officer", "all:clerk,gate,health,customs,manager,supervisor,auditor:Nobody At All")
		for _, want := range []string{p.config, "Sign-in words", "fingerprint", "compare the public keys by voice", filepath.Join(p.dir, "handover"), "https://" + other.address, "people word"} {
			if !strings.Contains(out, want) {
				t.Errorf("init does not say %q:\n%s", want, out)
			}
		}
	}
	adopt(t, pkg, posts[agreement.A].dir, posts[agreement.B].dir)
	for _, p := range posts {
		p.allowProgram(t)
		p.trustAuthority(t)
	}
	return posts[agreement.A], posts[agreement.B]
}

// headWord is the word that "head" chooses.
const headWord = "a word of the head's own"

// ownWord chooses headWord in the place of a word that was given to an officer, or where
// none is told, of one that the keeper of the machine makes.
func ownWord(t *testing.T, config, login, given string) {
	t.Helper()
	if given == "" {
		given = givenWord.FindString(must(t, "people", "word", "--config", config, login))
	}
	mustWith(t, given+"\n"+headWord+"\n", "people", "word", "--config", config, "--by", login, login)
}

var givenWord = regexp.MustCompile(`[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}`)

// mustWith runs darwaza with standard input, and wants it to succeed.
func mustWith(t *testing.T, in string, args ...string) string {
	t.Helper()
	out, errs, status := darwazaWith(t, in, args...)
	if status != 0 {
		t.Fatalf("darwaza %q: exit status %d\n%s%s", args, status, out, errs)
	}
	return out
}

// adopt does what the two sides do with their package: put both public keys into it, and
// sign it, each with its own root key.
func adopt(t *testing.T, pkg, a, b string) {
	t.Helper()
	must(t, "agreement", "keys", pkg, filepath.Join(a, "handover", "keys", "A.yaml"), filepath.Join(b, "handover", "keys", "B.yaml"))
	must(t, "agreement", "sign", "--side", "A", "--key", filepath.Join(a, "keys", "root.pem"), pkg)
	must(t, "agreement", "sign", "--side", "B", "--key", filepath.Join(b, "keys", "root.pem"), pkg)
	must(t, "agreement", "verify", pkg)
}

// allowProgram lets the test act as the officer "all" through the API.
func (p *testPost) allowProgram(t *testing.T) {
	t.Helper()
	var id string
	for line := range strings.Lines(must(t, "people", "list", "--config", p.config)) {
		if f := strings.Fields(line); len(f) > 5 && f[0] == "all" {
			id = f[5]
			if !strings.Contains(line, "Nobody At All") {
				t.Errorf("people list does not open the name: %q", line)
			}
		}
	}
	if id == "" {
		t.Fatal("people list does not show the officer that init appointed")
	}
	sum := sha256.Sum256([]byte(testToken))
	b, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.Replace(string(b), "clients: []", fmt.Sprintf("clients: [{name: test, token: %q, officer: %q, roles: [clerk, gate, health, customs, supervisor]}]", hex.EncodeToString(sum[:]), id), 1)
	s = strings.Replace(s, "every: 3s", "every: 200ms", 1)
	if err := os.WriteFile(p.config, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

// trustAuthority is what a tablet does when it installs the post's authority.
func (p *testPost) trustAuthority(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "keys", "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("authority.pem holds no certificate")
	}
	p.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 64, ExpectContinueTimeout: time.Minute}}
}

// logLines keeps a server's log and tells when it serves.
type logLines struct {
	mu      sync.Mutex
	lines   []string
	serving chan struct{}
	once    sync.Once
}

func (l *logLines) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		l.mu.Lock()
		l.lines = append(l.lines, s.Text())
		l.mu.Unlock()
		if strings.Contains(s.Text(), `"msg":"serving"`) {
			l.once.Do(func() { close(l.serving) })
		}
	}
}

func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// start runs darwaza serve and waits until it serves.
func (p *testPost) start(t *testing.T) {
	t.Helper()
	p.cmd = program(context.Background(), "serve", "--config", p.config)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.log = &logLines{serving: make(chan struct{})}
	ended := make(chan struct{})
	go func() { p.log.read(stderr); close(ended) }()
	cmd := p.cmd
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	select {
	case <-p.log.serving:
	case <-ended:
		t.Fatalf("side %s does not serve:\n%s", p.side, p.log.text())
	case <-time.After(time.Minute):
		t.Fatalf("side %s does not serve within a minute:\n%s", p.side, p.log.text())
	}
}

// stop asks the server to stop, which it must do without a fault.
func (p *testPost) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("side %s: %v\n%s", p.side, err, p.log.text())
	}
	if !strings.Contains(p.log.text(), `"msg":"stopped"`) {
		t.Errorf("side %s does not say that it stopped:\n%s", p.side, p.log.text())
	}
}

// kill ends the server as a power cut would, but for the disk's own cache.
func (p *testPost) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait()
}

// call calls the API. The error tells that there was no answer.
func (p *testPost) call(method, path, key string, in any) (status int, out map[string]any, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "https://"+p.address+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err
	}
	return res.StatusCode, out, json.Unmarshal(b, &out)
}

func (p *testPost) mustCall(t *testing.T, method, path, key string, in any) map[string]any {
	t.Helper()
	status, out, err := p.call(method, path, key, in)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s %s at side %s: %d, %v, %v", method, path, p.side, status, out, err)
	}
	return out
}

// at looks a value up in a document: at(v, "booking", "members", 0, "pass").
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// slotNow returns the id of the slot of this hour.
func (p *testPost) slotNow(t *testing.T) string {
	t.Helper()
	out := p.mustCall(t, http.MethodGet, "/api/v1/slots?site=mand-pishin&class=visitor", "", nil)
	for _, s := range at(out, "slots").([]any) {
		from, _ := time.Parse(time.RFC3339, at(s, "from").(string))
		until, _ := time.Parse(time.RFC3339, at(s, "until").(string))
		if now := time.Now(); !now.Before(from) && now.Before(until) {
			return at(s, "id").(string)
		}
	}
	t.Fatalf("no slot holds the present: %v", out)
	return ""
}

func order(slot string, n int) map[string]any {
	return map[string]any{"slot": slot, "waits": false, "standing": false, "people": []any{
		map[string]any{"name": "A Name", "age": 30, "children": 0, "document": cnic(n)},
	}}
}

func cnic(n int) map[string]any {
	return map[string]any{"kind": "cnic", "country": "PAK", "number": fmt.Sprintf("52201%07d%d", n, 1+n%9)}
}

// idem names an act, for its idempotency.
func idem(what string, n ...int) string {
	return fmt.Sprintf("process-test-%s-%x........", what, fmt.Sprint(n))
}

// TestTwoProcesses runs the two sides as two real processes over TLS, made by the
// commands that their people would use: a place sold by A holds at B's gate, also when
// A's server is gone.
func TestTwoProcesses(t *testing.T) {
	a, b := twoPosts(t)
	a.start(t)
	b.start(t)
	slot := a.slotNow(t)
	var passes []string
	for n := range 2 {
		out := a.mustCall(t, http.MethodPost, "/api/v1/bookings", idem("book", n), order(slot, n))
		if at(out, "verdict", "outcome") != "ALLOW" {
			t.Fatalf("a booking at A: %v", out)
		}
		passes = append(passes, at(out, "booking", "members", 0, "pass").(string))
	}
	scan := func(n, try int) map[string]any {
		return b.mustCall(t, http.MethodPost, "/api/v1/gate/scans", idem("scan", n, try), map[string]any{
			"site": "mand-pishin", "gate": 2, "direction": "in", "pass": passes[n], "document": cnic(n),
			"screening": map[string]any{"temp_tenths": 366, "symptoms": false},
		})
	}
	// B knows A's pass key from the edition; how A's withdrawals stand it hears by the exchange.
	var out map[string]any
	for try := range 50 {
		out = scan(0, try)
		if at(out, "fault") == "pass.key.unknown" {
			t.Fatalf("the edition holds A's certificates, and B does not know A's pass key: %v", out)
		}
		if at(out, "verdict", "outcome") == "ALLOW" {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if at(out, "verdict", "outcome") != "ALLOW" || at(out, "scan", "counted") != true {
		t.Fatalf("A's pass at B's gate: %v", out)
	}
	ownWord(t, a.config, "head", "")
	mustWith(t, headWord+"\n", "people", "add", "--config", a.config, "--by", "head", "--name", "Late Comer", "late", "clerk")
	if list := must(t, "people", "list", "--config", a.config); !strings.Contains(list, "late") {
		t.Errorf("the clerk who was appointed while the server ran is not there:\n%s", list)
	}
	must(t, "record", "check", "--config", a.config)
	// A program acts as an officer, and no longer once the officer may not.
	mustWith(t, headWord+"\n", "people", "off", "--config", a.config, "--by", "head", "all")
	for try := 0; ; try++ {
		status, out, err := a.call(http.MethodPost, "/api/v1/bookings", idem("off", try), order(slot, 50+try))
		if err == nil && status == http.StatusUnauthorized {
			break
		}
		if try == 30 {
			t.Fatalf("a program acts as an officer who has left: %d, %v, %v", status, out, err)
		}
		time.Sleep(100 * time.Millisecond)
	}

	a.stop(t)
	if out = scan(1, 0); at(out, "verdict", "outcome") != "ALLOW" || at(out, "scan", "counted") != true {
		t.Fatalf("A's pass at B's gate with A's server gone: %v", out)
	}
	// B forgets nothing of A's keys when it starts again.
	b.stop(t)
	b.start(t)
	if out = scan(1, 1); at(out, "fault") == "pass.key.unknown" {
		t.Errorf("B has forgotten A's keys: %v", out)
	}
	b.stop(t)
	for _, p := range []*testPost{a, b} {
		if out := must(t, "record", "check", "--config", p.config); !strings.Contains(out, "consistent") {
			t.Errorf("record check says %q", out)
		}
		for _, secret := range append(passes, "A Name", "52201") {
			if strings.Contains(p.log.text(), secret) {
				t.Errorf("the log of side %s holds %q", p.side, secret)
			}
		}
	}
	backups(t, b)
}

// TestGracefulStop asks the server to stop while a booking is on its way: it is answered
// and kept, and nobody new is let in.
func TestGracefulStop(t *testing.T) {
	a, _ := twoPosts(t)
	a.start(t)
	body, err := json.Marshal(order(a.slotNow(t), 1))
	if err != nil {
		t.Fatal(err)
	}
	slow, rest := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, "https://"+a.address+"/api/v1/bookings", slow)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", idem("slow"))
	// The body is sent when the server has begun to read it, so that it is at work when it
	// is told to stop.
	req.Header.Set("Expect", "100-continue")
	answered := make(chan string, 1)
	go func() {
		res, err := a.client.Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		answered <- string(b)
	}()
	if _, err := rest.Write(body[:20]); err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if strings.Contains(a.log.text(), `"msg":"stopping"`) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	stranger := &http.Client{Timeout: 2 * time.Second, Transport: a.client.Transport.(*http.Transport).Clone()}
	if res, err := stranger.Get("https://" + a.address + "/healthz"); err == nil {
		res.Body.Close()
		t.Errorf("a server that is stopping answers somebody new: %s", res.Status)
	}
	if _, err := rest.Write(body[20:]); err != nil {
		t.Fatal(err)
	}
	rest.Close()
	var out map[string]any
	if text := <-answered; json.Unmarshal([]byte(text), &out) != nil || at(out, "verdict", "outcome") != "ALLOW" {
		t.Fatalf("the booking that was on its way: %s", text)
	}
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("the server did not stop well: %v\n%s", err, a.log.text())
	}
	a.start(t)
	if got := a.mustCall(t, http.MethodGet, "/api/v1/bookings/"+at(out, "booking", "reference").(string), "", nil); at(got, "status") != "booked" {
		t.Errorf("the booking is %v", at(got, "status"))
	}
	a.stop(t)
}

// TestKill kills the server in the middle of a rush and looks whether anything that it
// had acknowledged is lost, and whether a retry of what it had not answered is done once.
func TestKill(t *testing.T) {
	a, _ := twoPosts(t)
	acknowledged := map[int]string{} // person → reference
	next := 0
	for round := range 3 {
		a.start(t)
		slot := a.slotNow(t)
		var (
			mu   sync.Mutex
			wg   sync.WaitGroup
			open = map[int]bool{} // asked and not answered
		)
		enough := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		book := func(n int) bool {
			status, out, err := a.call(http.MethodPost, "/api/v1/bookings", idem("rush", n), order(slot, n))
			mu.Lock()
			defer mu.Unlock()
			if err != nil || status != http.StatusOK {
				open[n] = true
				return false
			}
			delete(open, n)
			if ref, ok := at(out, "booking", "reference").(string); ok && at(out, "verdict", "outcome") == "ALLOW" {
				if had, ok := acknowledged[n]; ok && had != ref {
					t.Errorf("person %d has two bookings, %s and %s", n, had, ref)
				}
				acknowledged[n] = ref
			}
			return true
		}
		had := len(acknowledged)
		for range 12 {
			wg.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					n := next
					next++
					if len(acknowledged) == had+25 {
						select {
						case <-enough:
						default:
							close(enough)
						}
					}
					mu.Unlock()
					if !book(n) {
						return
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(time.Minute):
			t.Fatalf("round %d: %d bookings in a minute", round, len(acknowledged)-had)
		}
		a.kill(t)
		cancel()
		wg.Wait()
		must(t, "record", "check", "--config", a.config)

		a.start(t)
		// Whoever got no answer asks again, with the same key.
		for _, n := range slices.Collect(maps.Keys(open)) {
			if !book(n) {
				t.Errorf("round %d: the retry of person %d is not answered", round, n)
			}
		}
		for n, ref := range acknowledged {
			out := a.mustCall(t, http.MethodGet, "/api/v1/bookings/"+ref, "", nil)
			if at(out, "status") != "booked" {
				t.Errorf("round %d: the acknowledged booking of person %d is %v", round, n, at(out, "status"))
			}
		}
		a.kill(t)
	}
	if out := must(t, "record", "check", "--config", a.config); !strings.Contains(out, "consistent") {
		t.Errorf("record check says %q", out)
	}
}

// backups backs a stopped post up, loses its database, and restores it: fresh, then stale.
func backups(t *testing.T, p *testPost) {
	t.Helper()
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	must(t, "backup", "--config", p.config, "--to", old)
	for _, name := range []string{"post.db", "backup.json", "config.yaml", "certificates"} {
		if _, err := os.Stat(filepath.Join(old, name)); err != nil {
			t.Errorf("the backup lacks %s", name)
		}
	}
	filepath.WalkDir(old, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, "vault") || strings.HasSuffix(path, ".key") || strings.HasSuffix(path, "root.pem") {
			t.Errorf("the backup holds %s", path)
		}
		return err
	})
	if _, errs, status := darwaza(t, "restore", "--config", p.config, "--from", old); status == 0 || !strings.Contains(errs, "writes over nothing") {
		t.Errorf("restore over a living database: %d %s", status, errs)
	}
	lose := func() {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(filepath.Join(p.dir, "post.db"+suffix)); err != nil && suffix == "" {
				t.Fatal(err)
			}
		}
	}
	lose()
	if out := must(t, "restore", "--config", p.config, "--from", old); !strings.Contains(out, "Nothing that this post is known to have signed is missing") {
		t.Errorf("restore of a fresh backup says %q", out)
	}
	must(t, "record", "check", "--config", p.config)

	// Something happens after the backup, and then the database is lost.
	must(t, "people", "word", "--config", p.config, "head")
	lose()
	_, errs, status := darwaza(t, "restore", "--config", p.config, "--from", old)
	if status == 0 || !strings.Contains(errs, "1 acts after it") || !strings.Contains(errs, "--accept") {
		t.Errorf("restore of a stale backup: %d %s", status, errs)
	}
	if out := must(t, "restore", "--config", p.config, "--from", old, "--accept"); !strings.Contains(out, "1 acts that this post had signed are lost") {
		t.Errorf("an accepted restore says %q", out)
	}
	p.start(t)
	p.stop(t)

	full := filepath.Join(dir, "full")
	must(t, "backup", "--config", p.config, "--to", full, "--with-keys")
	if _, err := os.Stat(filepath.Join(full, "keys", "root.pem")); err != nil {
		t.Errorf("a backup with keys lacks them: %v", err)
	}
	if _, err := os.Stat(filepath.Join(full, "vault")); err == nil {
		t.Error("a backup holds the vault")
	}
	if _, errs, status := darwaza(t, "backup", "--config", p.config, "--to", full); status == 0 || !strings.Contains(errs, "exists already") {
		t.Errorf("a backup over a backup: %d %s", status, errs)
	}
}

// TestTwoServers runs two servers of one side on one PostgreSQL: both sell from the same
// slot, and when the one that owns the record is killed the other goes on.
func TestTwoServers(t *testing.T) {
	url := storetest.Postgres(t)
	dir := t.TempDir()
	pkg := filepath.Join(dir, "agreement")
	alwaysOpen(t, pkg)
	one := &testPost{side: agreement.A, dir: filepath.Join(dir, "A"), address: freePort(t)}
	one.config = filepath.Join(one.dir, "config.yaml")
	other := filepath.Join(dir, "B")
	must(t, "init", "--dir", one.dir, "--side", "A", "--agreement", pkg, "--listen", one.address, "--name", "127.0.0.1", "--database", url,
		"--officer", "head:admin:Head Of Post", "--officer", "all:clerk,gate,health,customs,manager,supervisor,auditor:Nobody At All")
	must(t, "init", "--dir", other, "--side", "B", "--agreement", pkg, "--name", "127.0.0.1", "--officer", "head:admin:Head Of Post")
	adopt(t, pkg, one.dir, other)
	one.allowProgram(t)
	one.trustAuthority(t)
	two := &testPost{side: agreement.A, dir: one.dir, address: freePort(t), config: filepath.Join(one.dir, "config-2.yaml"), client: one.client}
	text, err := os.ReadFile(one.config)
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(string(text), one.address, two.address, 1)
	second = strings.Replace(second, `head: "head/head"`, `head: "head-2/head"`, 1)
	if err := os.WriteFile(two.config, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	one.start(t)
	two.start(t)
	slot := one.slotNow(t)
	var (
		mu   sync.Mutex
		refs []string
		wg   sync.WaitGroup
	)
	book := func(p *testPost, n int) error {
		status, out, err := p.call(http.MethodPost, "/api/v1/bookings", idem("servers", n), order(slot, n))
		if err != nil || status != http.StatusOK || at(out, "verdict", "outcome") != "ALLOW" {
			return fmt.Errorf("person %d: %d, %v, %v", n, status, out, err)
		}
		mu.Lock()
		defer mu.Unlock()
		refs = append(refs, at(out, "booking", "reference").(string))
		return nil
	}
	for n := range 40 {
		wg.Go(func() {
			if err := book([]*testPost{one, two}[n%2], n); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	one.kill(t)
	// The other takes the record over when the lease has run out.
	for try := 0; ; try++ {
		if err := book(two, 100); err == nil {
			break
		} else if try == 20 {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	one.start(t)
	for _, ref := range refs {
		if out := one.mustCall(t, http.MethodGet, "/api/v1/bookings/"+ref, "", nil); at(out, "status") != "booked" {
			t.Errorf("%s is %v", ref, at(out, "status"))
		}
	}
	two.stop(t)
	if err := book(one, 101); err != nil {
		t.Errorf("after the owner has stopped: %v", err)
	}
	one.stop(t)
	must(t, "record", "check", "--config", one.config)
}
