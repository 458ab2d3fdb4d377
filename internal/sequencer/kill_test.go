// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store"
	"darwaza.dev/internal/store/storetest"
)

// childVariable makes this test binary a server that books in a rush until it is killed.
// Its value is the address of the database; the other settings follow in the arguments.
const childVariable = "DARWAZA_SEQUENCER_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(childVariable); url != "" {
		if err := child(url, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// allotment is this side's places in the slot that the children fight for.
const allotment = 2500

// rushers is how many clients each child has.
const rushers = 64

// child books from a number on: for each booking it writes "ask <n>" before and
// "<outcome> <n>" after the answer. First it asks once more about those that its
// predecessor was killed over. Arguments: head file, signing key, first number, retries.
func child(url string, args []string) error {
	ctx := context.Background()
	var say sync.Mutex
	tell := func(word string, n uint64) {
		say.Lock()
		defer say.Unlock()
		fmt.Fprintln(os.Stdout, word, n)
	}
	signer, err := record.NewSigner(args[1])
	if err != nil {
		return err
	}
	next, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	law, err := storetest.Law(allotment)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	seq, err := sequencer.New(ctx, sequencer.Config{
		Store: st, Side: agreement.A, Law: func() *service.Law { return law }, Clock: storetest.Now, Signer: signer,
		HeadFile: args[0], Listener: listener, TTL: 400 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	book := func(n uint64) error {
		d, err := seq.Do(ctx, keyOf(n), storetest.BookOf(n, storetest.Slot(10)))
		if err != nil {
			return err
		}
		var a service.BookingAnswer
		if err := st.Codec().Unmarshal(d.Answer, &a); err != nil {
			return err
		}
		if a.Verdict.Outcome == reason.Allow {
			tell("booked", n)
		} else {
			tell("refused", n)
		}
		return nil
	}
	for _, arg := range args[3:] {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err == nil {
			err = book(n)
		}
		if err != nil {
			return err
		}
	}
	go func() { // say when this server becomes the log's owner
		for was := false; ; time.Sleep(5 * time.Millisecond) {
			if is := seq.Owner(); is != was {
				was = is
				if is {
					tell("owner", 0)
				}
			}
		}
	}()
	var mu sync.Mutex
	fault := make(chan error)
	for range rushers {
		go func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				tell("ask", n)
				if err := book(n); err != nil {
					fault <- err
					return
				}
			}
		}()
	}
	return <-fault
}

func keyOf(n uint64) service.Idem {
	return service.Idem{Key: fmt.Sprintf("key-of-%016d", n), Actor: "public"}
}

// A journal is what the children said.
type journal struct {
	mu      sync.Mutex
	next    uint64
	asked   map[uint64]bool // and not answered yet
	booked  map[uint64]bool
	refused map[uint64]bool
}

// listen reads what a child says until it ends, and calls heard after each word.
func (j *journal) listen(t *testing.T, out io.Reader, heard func(word string)) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return // half a word is none
		}
		var word string
		var i uint64
		if _, err := fmt.Sscanf(line, "%s %d", &word, &i); err != nil {
			t.Errorf("a child said %q", line)
		}
		j.mu.Lock()
		switch word {
		case "ask":
			j.asked[i] = true
			j.next = max(j.next, i+1)
		case "booked":
			if j.refused[i] {
				t.Errorf("booking %d was refused and is booked", i)
			}
			j.booked[i] = true
			delete(j.asked, i)
		case "refused":
			if j.booked[i] {
				t.Errorf("booking %d was made and is refused", i)
			}
			j.refused[i] = true
			delete(j.asked, i)
		}
		j.mu.Unlock()
		heard(word)
	}
}

func newJournal() *journal {
	return &journal{asked: map[uint64]bool{}, booked: map[uint64]bool{}, refused: map[uint64]bool{}}
}

// A process is a child with what it writes.
type process struct {
	cmd    *exec.Cmd
	out    io.Reader
	faults strings.Builder
}

func startChild(t *testing.T, url string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self, args...)}
	p.cmd.Env = append(os.Environ(), childVariable+"="+url)
	p.cmd.Stderr = &p.faults
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// killed waits for the end of a child, which must have been our doing.
func (p *process) killed(t *testing.T) {
	t.Helper()
	var exit *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("a child ended by itself: %v\n%s", err, p.faults.String())
	}
}

// alone waits until PostgreSQL has ended what a killed process had begun: it finishes a
// commit whose client is gone, and that must not fall between two looks of a check.
func alone(t *testing.T, url string) {
	t.Helper()
	if !strings.HasPrefix(url, "postgres") {
		return
	}
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	for range 1000 {
		var others int
		const q = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
		if err := db.QueryRow(t.Context(), q).Scan(&others); err != nil {
			t.Fatal(err)
		}
		if others == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("PostgreSQL still serves a killed process")
}

// check holds the database against what the children were told.
func (j *journal) check(t *testing.T, st *store.Store, key *record.Verifier) {
	t.Helper()
	rep, err := st.Verify(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	taken := uint32(0)
	err = st.View(t.Context(), func(state service.State) error {
		slot, _ := state.Booking.Slots.Get(storetest.Slot(10))
		taken = slot.Taken
		if slot.Taken > slot.Allotment || slot.Allotment > allotment {
			t.Errorf("%d places taken of %d", slot.Taken, slot.Allotment)
		}
		for n := range j.booked {
			c := storetest.BookOf(n, storetest.Slot(10))
			if b, ok := state.Booking.Bookings.Get(c.Ref); !ok || b.Status != booking.Booked {
				t.Errorf("booking %d was acknowledged and is lost", n)
			}
			if s, ok := state.Sealed.Get(c.SealedID); !ok || string(s) != string(c.Sealed) {
				t.Errorf("the sealed data of booking %d is lost", n)
			}
		}
		for n := range j.refused {
			if _, ok := state.Booking.Bookings.Get(storetest.BookOf(n, storetest.Slot(10)).Ref); ok {
				t.Errorf("booking %d was refused and is there", n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Every fact but the first, which opens the slot, is one booking or one refusal: those
	// that were acknowledged, and at most those that nobody was told of.
	booked, refused, asked := uint64(len(j.booked)), uint64(len(j.refused)), uint64(len(j.asked))
	n, away := uint64(taken), refused
	if rep.Entries > 0 {
		away = rep.Entries - 1 - uint64(taken)
	}
	if n < booked || away < refused || n+away > booked+refused+asked {
		t.Errorf("%d places taken, %d entries, %d and %d acknowledged, %d unanswered", taken, rep.Entries, booked, refused, asked)
	}
}

func TestKill(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 5
	}
	t.Run("sqlite", func(t *testing.T) {
		killLoop(t, "sqlite://"+filepath.Join(t.TempDir(), "log.db"), kills)
	})
	t.Run("postgres", func(t *testing.T) {
		killLoop(t, storetest.Postgres(t), kills/5)
	})
}

func killLoop(t *testing.T, url string, kills int) {
	r := newRig(t, nil)
	key, err := record.NewVerifier(r.signer.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	j := newJournal()
	rnd := mathrand.New(mathrand.NewPCG(1, 2))
	for k := range kills {
		args := []string{r.head, r.signer.Secret(), strconv.FormatUint(j.next, 10)}
		for n := range j.asked {
			args = append(args, strconv.FormatUint(n, 10))
		}
		p := startChild(t, url, args...)
		left := rnd.IntN(400)
		j.listen(t, p.out, func(string) {
			if left == 0 {
				p.cmd.Process.Kill()
			}
			left--
		})
		p.killed(t)
		alone(t, url)
		st, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		j.check(t, st, key)
		st.Close()
		if t.Failed() {
			t.Fatalf("after %d kills", k+1)
		}
	}
	t.Logf("%d kills: %d booked, %d refused, %d unanswered", kills, len(j.booked), len(j.refused), len(j.asked))
}

// TestThreeServers has three servers on one PostgreSQL sell one slot. Whoever owns the log
// is killed in the middle of it, until one server is left, which sells the rest.
func TestThreeServers(t *testing.T) {
	url := storetest.Postgres(t)
	r := newRig(t, nil)
	key, err := record.NewVerifier(r.signer.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	const servers = 3
	j := newJournal()
	type event struct {
		server int
		word   string
	}
	events := make(chan event, 1024)
	var ps [servers]*process
	var listening sync.WaitGroup
	for i := range servers {
		ps[i] = startChild(t, url, fmt.Sprint(r.head, i), r.signer.Secret(), strconv.Itoa((i+1)*1_000_000))
		listening.Add(1)
		go func() {
			defer listening.Done()
			j.listen(t, ps[i].out, func(word string) { events <- event{i, word} })
		}()
	}
	go func() { listening.Wait(); close(events) }()
	owner, kills, answers := -1, 0, 0
	var by [servers]int // answers since the last kill
	for e := range events {
		switch e.word {
		case "owner":
			owner = e.server
		case "booked", "refused":
			answers++
			by[e.server]++
		}
		// Each that lives must have been answered, by itself or by forwarding.
		ready := 0
		for _, n := range by {
			if n >= 100 {
				ready++
			}
		}
		if owner >= 0 && ready == servers-kills && kills < servers {
			if err := ps[owner].cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			owner, by = -1, [servers]int{}
			kills++
		}
	}
	for _, p := range ps {
		p.killed(t)
	}
	if kills != servers {
		t.Fatalf("%d kills", kills)
	}
	alone(t, url)
	st, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	j.check(t, st, key)
	t.Logf("%d answers: %d booked, %d refused, %d unanswered", answers, len(j.booked), len(j.refused), len(j.asked))
}
