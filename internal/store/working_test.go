// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/engine"
)

// TestWorking runs random commands, some of them undone, in batches of which up to two are
// under way, with a cache so small that rows are let go all the time, against a plain map.
func TestWorking(t *testing.T) {
	mixed := 0 // batches of new rows and changed ones
	rapid.Check(t, func(r *rapid.T) {
		ctx := context.Background()
		dir, err := os.MkdirTemp("", "store")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s, err := Open(ctx, filepath.Join(dir, "x.db"))
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		lease, err := s.eng.Acquire(ctx, "me", "", 1000)
		if err != nil {
			r.Fatal(err)
		}
		model := map[booking.Ref]string{}
		type pending struct {
			rows  []engine.Rows
			batch uint64
		}
		var queue []pending
		var w *Working
		fresh := func() {
			w = s.NewWorking(lease.Epoch)
			w.limit = rapid.IntRange(1, 6).Draw(r, "limit")
			if rapid.Bool().Draw(r, "learn") {
				if err := w.Learn(ctx, s.eng); err != nil {
					r.Fatal(err)
				}
			}
		}
		fresh()
		commit := func() {
			p := queue[0]
			queue = queue[1:]
			for _, rows := range p.rows {
				reqs := []engine.Request{{Table: rows.Table, Keys: rows.Keys[:rows.Fresh]}}
				if err := s.eng.Fetch(ctx, reqs); err != nil {
					r.Fatal(err)
				}
				for i, v := range reqs[0].Values {
					if v != nil {
						r.Fatalf("%s: %q is believed new and is there", rows.Table, rows.Keys[i])
					}
				}
				if len(rows.Gone) == 0 && rows.Fresh < len(rows.Keys) && rows.Fresh > 0 {
					mixed++
				}
			}
			b := &engine.Batch{Epoch: lease.Epoch, Rows: p.rows, Head: engine.Head{Root: make([]byte, 32), Checkpoint: []byte{}}}
			if err := s.eng.Commit(ctx, b); err != nil {
				r.Fatal(err)
			}
			w.Settle(p.batch)
		}
		ref := rapid.StringMatching(`[a-h]`)
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"command", "command", "command", "command", "encode", "collect", "commit", "again", "prefetch"}).Draw(r, "step") {
			case "command":
				w.Begin()
				next := map[booking.Ref]string{}
				for k, v := range model {
					next[k] = v
				}
				for range rapid.IntRange(1, 6).Draw(r, "acts") {
					k := booking.Ref(ref.Draw(r, "ref"))
					switch rapid.IntRange(0, 2).Draw(r, "act") {
					case 0:
						v := rapid.StringMatching(`[0-9]{0,3}`).Draw(r, "by")
						w.State.Booking.Bookings.Put(k, booking.Booking{Ref: k, By: v})
						next[k] = v
					case 1:
						w.State.Booking.Bookings.Delete(k)
						delete(next, k)
					case 2:
						b, ok := w.State.Booking.Bookings.Get(k)
						want, there := next[k]
						if ok != there || b.By != want {
							r.Fatalf("%s: got %q, %v; want %q, %v", k, b.By, ok, want, there)
						}
					}
				}
				if rapid.Bool().Draw(r, "undo") {
					w.Undo()
				} else {
					model = next
				}
			case "collect":
				if len(queue) == 2 {
					commit()
				}
				rows, batch, err := w.Collect()
				if err != nil {
					r.Fatal(err)
				}
				queue = append(queue, pending{rows, batch})
			case "encode":
				if err := w.Encode(); err != nil {
					r.Fatal(err)
				}
			case "commit":
				if len(queue) > 0 {
					commit()
				}
			case "prefetch":
				var k service.Keys
				for range rapid.IntRange(0, 9).Draw(r, "keys") {
					k.Bookings = append(k.Bookings, booking.Ref(ref.Draw(r, "ref")))
				}
				if err := w.Prefetch(ctx, &k, nil); err != nil {
					r.Fatal(err)
				}
			case "again": // the owner changes when everything is committed
				rows, batch, err := w.Collect()
				if err != nil {
					r.Fatal(err)
				}
				for queue = append(queue, pending{rows, batch}); len(queue) > 0; {
					commit()
				}
				fresh()
			}
		}
		w.Begin()
		for c := 'a'; c <= 'h'; c++ {
			k := booking.Ref(c)
			b, ok := w.State.Booking.Bookings.Get(k)
			if want, there := model[k]; ok != there || b.By != want {
				r.Fatalf("%s: got %q, %v; want %q, %v", k, b.By, ok, want, there)
			}
		}
		if err := w.Fault(); err != nil {
			r.Fatal(err)
		}
	})
	if mixed == 0 {
		t.Error("no batch held both new rows and changed ones")
	}
}

// fill sets every field of a value to something that is not zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMicro(1_756_789_012_345_000 + int64(*n)).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, n)
		fill(e, n)
		m.SetMapIndex(k, e)
		v.Set(m)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprint("text", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n)%7 + 1)
	default:
		v.SetInt(int64(*n)%7 + 1)
	}
}

// TestEveryField writes a row of every table with every field set and reads it back, so
// that a field which a desk adds cannot be lost on the way.
func TestEveryField(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lease, err := s.eng.Acquire(t.Context(), "me", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	w := s.NewWorking(lease.Epoch)
	// each calls f with every table of a state.
	each := func(st *service.State, f func(name string, table reflect.Value)) {
		v := reflect.ValueOf(st).Elem()
		for i := range v.NumField() {
			if v.Field(i).Kind() == reflect.Interface {
				f(v.Type().Field(i).Name, v.Field(i))
				continue
			}
			for j := range v.Field(i).NumField() {
				f(v.Type().Field(i).Name+"."+v.Field(i).Type().Field(j).Name, v.Field(i).Field(j))
			}
		}
	}
	put := map[string][2]reflect.Value{}
	each(&w.State, func(name string, table reflect.Value) {
		m := table.MethodByName("Put")
		k, v := reflect.New(m.Type().In(0)).Elem(), reflect.New(m.Type().In(1)).Elem()
		n := 0
		fill(k, &n)
		fill(v, &n)
		if s, ok := v.Addr().Interface().(*booking.Slot); ok {
			s.ID, s.Allotment = k.Interface().(booking.SlotID), 100
		}
		m.Call([]reflect.Value{k, v})
		put[name] = [2]reflect.Value{k, v}
	})
	rows, _, err := w.Collect()
	if err != nil {
		t.Fatal(err)
	}
	b := &engine.Batch{Epoch: lease.Epoch, Rows: rows, Head: engine.Head{Root: make([]byte, 32), Checkpoint: []byte{}}}
	if err := s.eng.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), func(st service.State) error {
		each(&st, func(name string, table reflect.Value) {
			got := table.MethodByName("Get").Call([]reflect.Value{put[name][0]})
			if g, want := fmt.Sprintf("%+v", got[0].Interface()), fmt.Sprintf("%+v", put[name][1].Interface()); g != want && !reflect.DeepEqual(got[0].Interface(), put[name][1].Interface()) || !got[1].Bool() {
				t.Errorf("%s: got %s, want %s", name, g, want)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestQuick holds every encoder of our own against the codec.
func TestQuick(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorking(service.NewCodec(), nil, true)
		k := Kept{
			First: rapid.Uint64().Draw(r, "first"), Count: rapid.Uint64().Draw(r, "count"), Line: rapid.Uint64().Draw(r, "line"),
		}
		copy(k.Page[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "page"))
		copy(k.Digest[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "digest"))
		ref := booking.Ref(rapid.String().Draw(r, "ref"))
		check := func(got []byte, err error, v any) {
			want, err2 := w.codec.Marshal(v)
			if err != nil || err2 != nil || string(got) != string(want) {
				r.Fatalf("%v: got %x, %v; want %x, %v", v, got, err, want, err2)
			}
		}
		b, err := w.kept.enc(nil, &k)
		check(b, err, k)
		b, err = w.State.Booking.Claims.(*rows[booking.ClaimKey, booking.Ref]).enc(nil, &ref)
		check(b, err, ref)
		b, err = w.State.Booking.Roster.(*rows[booking.RosterKey, booking.Ref]).enc(nil, &ref)
		check(b, err, ref)
	})
}

func TestViewIsOnlyRead(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, f := range map[string]func(service.State){
		"put":    func(st service.State) { st.Booking.Bookings.Put("x", booking.Booking{}) },
		"delete": func(st service.State) { st.Booking.Bookings.Delete("x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s on a view did not panic", name)
				}
			}()
			s.View(t.Context(), func(st service.State) error { f(st); return nil })
		}()
	}
	var kept service.State
	if err := s.View(t.Context(), func(st service.State) error { kept = st; return nil }); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a view can be used after its end")
			}
		}()
		kept.Booking.Bookings.Get("x")
	}()
	// Views that panicked have given their snapshots back: more can be opened than there is room for.
	for range 50 {
		if err := s.View(t.Context(), func(service.State) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = s.View(ctx, func(st service.State) error { st.Booking.Bookings.Get("x"); return nil })
	if err != nil && problem.KindOf(err) != problem.Offline {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOpenURL(t *testing.T) {
	dir := t.TempDir()
	for _, url := range []string{filepath.Join(dir, "a.db"), "sqlite://" + filepath.Join(dir, "b.db")} {
		s, err := Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for url, kind := range map[string]problem.Kind{
		"mysql://x": problem.Invalid, "postgres://127.0.0.1:1/x?connect_timeout=1": problem.Offline, "sqlite:///proc/no/x.db": problem.Offline,
	} {
		if _, err := Open(t.Context(), url); err == nil || problem.KindOf(err) != kind {
			t.Errorf("%s: %v, want %v", url, err, kind)
		}
	}
}
