// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/erasure"
	"darwaza.dev/internal/fact"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/sim"
)

// sealedPost is side A of a demonstration in which people have booked with sealed data.
type sealedPost struct {
	t    *testing.T
	demo *sim.Demo
	*post.Post
	day uint16
	dir string
}

func newSealedPost(t *testing.T) *sealedPost {
	t.Helper()
	dir := t.TempDir()
	d, err := sim.Start(t.Context(), sim.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &sealedPost{t: t, demo: d, Post: d.Of(agreement.A).Post, day: rules.DayNumber(calendar.MustDate(sim.DemoDay)), dir: dir}
}

// book books the n-th place, days after the demonstration's day.
func (p *sealedPost) book(n int, name string, days int) booking.Booking {
	p.t.Helper()
	var slot booking.SlotID
	for _, s := range p.Law().Slots(1, p.day+uint16(days), 1) {
		slot = booking.MakeSlotID(1, 1, s.Day, s.Minute)
	}
	if slot == 0 {
		p.t.Fatalf("no slot %d days on", days)
	}
	c := service.Book{Ref: booking.Ref("ABCDEFGHJKM" + string("0123456789"[n])), Slot: slot}
	m := service.NewMember{Tag: [16]byte{1, byte(n)}, Binding: [16]byte{2, byte(n)}, Document: "cnic", Age: 30}
	binary.BigEndian.PutUint64(m.Pass[:], uint64(n)+1)
	c.Members = []service.NewMember{m}
	var err error
	if c.SealedID, c.Sealed, err = p.Sealer().Seal(p.t.Context(), []byte(name)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Writer().Do(p.t.Context(), service.Idem{}, c); err != nil {
		p.t.Fatal(err)
	}
	b, _, _ := stands(p.t, p.Post, c.Ref)
	return b
}

// stands returns a booking, its ciphertext and what opening it gives.
func stands(t *testing.T, p *post.Post, ref booking.Ref) (b booking.Booking, ciphertext []byte, opened string) {
	t.Helper()
	if err := p.Reader().View(context.Background(), func(st service.State) error {
		b, _ = service.BookingOf(st, ref)
		ciphertext, _ = st.Sealed.Get(b.Sealed)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(ciphertext) > 0 {
		plain, err := p.Sealer().Open(context.Background(), b.Sealed, ciphertext)
		if err != nil && problem.KindOf(err) != problem.NotFound {
			t.Fatal(err)
		}
		opened = string(plain)
	}
	return b, ciphertext, opened
}

// facts returns the facts of the record.
func facts(t *testing.T, p *post.Post) (all []fact.Fact) {
	t.Helper()
	size, err := p.Store().Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	codec := service.NewCodec()
	for i := range size {
		envelope, disclosure, err := p.Store().Entry(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		e, err := record.ParseEntry(envelope)
		if err != nil {
			t.Fatal(err)
		}
		body, whole, err := e.Open(disclosure)
		if err != nil || !whole {
			t.Fatal(whole, err)
		}
		f, err := codec.Decode(e.Kind, body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestEraseByTheClock sees the keys of a day's bookings destroyed once its time has come,
// and not before; that nothing opens the data then, neither from the database nor from a
// backup that is put back later; and that the record is whole and the bookings stand.
func TestEraseByTheClock(t *testing.T) {
	p := newSealedPost(t)
	ctx := context.Background()
	early, late := p.book(0, "Gul Bibi", 0), p.book(1, "Ali Khan", 4)
	backup := filepath.Join(t.TempDir(), "backup")
	file := filepath.Join(p.demo.Dir, "A", post.ConfigFile)
	if _, err := post.MakeBackup(ctx, p.Config, file, backup, false, p.demo.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	end := calendar.MustDate(sim.DemoDay).AddDays(p.Config.EraseAfter).Start(calendar.MustZone(sim.DemoZone))
	p.demo.Clock.Set(end.Add(-time.Second))
	if err := p.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	_, ciphertext, name := stands(t, p.Post, early.Ref)
	if name != "Gul Bibi" {
		t.Fatalf("erased before its time: %q", name)
	}
	p.demo.Clock.Set(end)
	for range 2 { // the second finds nothing to do
		if err := p.Erase(ctx); err != nil {
			t.Fatal(err)
		}
	}
	b, left, _ := stands(t, p.Post, early.Ref)
	if len(left) > 0 {
		t.Error("the ciphertext is still in the database")
	}
	if b.Status != booking.Booked || len(b.Members) != 1 {
		t.Errorf("the booking itself is gone: %+v", b)
	}
	if _, err := p.Sealer().Open(ctx, early.Sealed, ciphertext); problem.KindOf(err) != problem.NotFound || err == nil {
		t.Errorf("the key is still there: %v", err)
	}
	if _, _, name := stands(t, p.Post, late.Ref); name != "Ali Khan" {
		t.Errorf("a later day was erased with it: %q", name)
	}
	var days []erasure.DayErased
	for _, f := range facts(t, p.Post) {
		if f, ok := f.(*erasure.DayErased); ok {
			days = append(days, *f)
		}
	}
	if want := (erasure.DayErased{Site: 1, Day: p.day, After: uint16(p.Config.EraseAfter), Bookings: 1, Whole: true}); len(days) != 1 || days[0] != want {
		t.Errorf("the record says %+v, want %+v", days, want)
	}

	// A database that is put back from before does not bring the key back.
	conf, keys := p.Config, p.Keys
	if err := p.demo.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := post.CheckRecord(ctx, conf); err != nil {
		t.Errorf("the record after an erasure: %v", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(conf.Database+suffix, conf.Database+".lost"+suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if _, err := post.Restore(ctx, conf, backup, true, p.demo.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	again, err := post.Open(ctx, conf, post.Options{Clock: p.demo.Clock.Now, Keys: keys, Manual: true, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, ciphertext, name := stands(t, again, early.Ref); len(ciphertext) == 0 || name != "" {
		t.Errorf("from the backup %d bytes open as %q", len(ciphertext), name)
	}
	if _, _, name := stands(t, again, late.Ref); name != "Ali Khan" {
		t.Errorf("a booking of a later day opens as %q", name)
	}
	if err := again.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ciphertext, _ := stands(t, again, early.Ref); len(ciphertext) > 0 {
		t.Error("the restored ciphertext is not erased anew")
	}
}

// TestEraseOne has a supervisor erase one booking before its time: as a named act, once,
// and by nobody else.
func TestEraseOne(t *testing.T) {
	p := newSealedPost(t)
	ctx := context.Background()
	b, other := p.book(0, "Gul Bibi", 0), p.book(1, "Ali Khan", 0)
	_, ciphertext, _ := stands(t, p.Post, b.Ref)
	const word = "supervisor-of-side-a"
	for _, tt := range []struct{ what, by, word, code string }{
		{string(b.Ref), "supervisor", "supervisor-of-side-b", "officer.word"},
		{string(b.Ref), "nobody", word, "officer.word"},
		{string(b.Ref), "clerk", "clerk-of-side-a", "officer.role"},
		{"ZZZZZZZZZZZZ", "supervisor", word, "erasure.unknown"},
		{"R-ZZZZZZZZZZZZ", "supervisor", word, "erasure.unknown"},
		{"Gul Bibi", "supervisor", word, "erasure.what"},
	} {
		if _, err := p.EraseOne(ctx, tt.what, tt.by, tt.word); problem.CodeOf(err) != tt.code {
			t.Errorf("%s by %s: %v, want %s", tt.what, tt.by, err, tt.code)
		}
	}
	if _, _, name := stands(t, p.Post, b.Ref); name != "Gul Bibi" {
		t.Fatalf("erased by nobody who may: %q", name)
	}
	for i := range 3 {
		if fresh, err := p.EraseOne(ctx, string(b.Ref), "supervisor", word); err != nil || fresh != (i == 0) {
			t.Errorf("time %d: %v, %v", i+1, fresh, err)
		}
	}
	if _, err := p.Sealer().Open(ctx, b.Sealed, ciphertext); problem.KindOf(err) != problem.NotFound || err == nil {
		t.Errorf("the key is still there: %v", err)
	}
	if _, left, _ := stands(t, p.Post, b.Ref); len(left) > 0 {
		t.Error("the ciphertext is still in the database")
	}
	if _, _, name := stands(t, p.Post, other.Ref); name != "Ali Khan" {
		t.Errorf("another booking opens as %q", name)
	}
	officers, _, err := p.Officers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]string{}
	for _, o := range officers {
		who[string(o.ID)] = o.Login
	}
	asked, done := 0, 0
	for _, f := range facts(t, p.Post) {
		switch f := f.(type) {
		case *erasure.Asked:
			asked++
			if f.Ref != b.Ref || f.Sealed != b.Sealed || who[f.By] != "supervisor" {
				t.Errorf("%+v", f)
			}
		case *erasure.Done:
			done++
		}
	}
	if asked != 1 || done != 1 {
		t.Errorf("%d requests and %d answers in the record, want one each", asked, done)
	}
	if err := p.Erase(ctx); err != nil {
		t.Error(err)
	}
}

// TestEraseAfterACrash sees that a request whose key was not destroyed, because the server
// stopped, is carried out by the clock.
func TestEraseAfterACrash(t *testing.T) {
	p := newSealedPost(t)
	ctx := context.Background()
	b := p.book(0, "Gul Bibi", 0)
	_, ciphertext, _ := stands(t, p.Post, b.Ref)
	officers, _, err := p.Officers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := service.Erase{Ref: b.Ref}
	for _, o := range officers {
		if o.Login == "supervisor" {
			c.Officer = o.ID
		}
	}
	if _, err := p.Writer().Do(ctx, service.Idem{}, c); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sealer().Open(ctx, b.Sealed, ciphertext); err != nil {
		t.Fatalf("the test is not where it means to be: %v", err)
	}
	if err := p.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sealer().Open(ctx, b.Sealed, ciphertext); problem.KindOf(err) != problem.NotFound || err == nil {
		t.Errorf("the key is still there: %v", err)
	}
}
