// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"testing"
	"time"

	"darwaza.dev/internal/closure"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/service"
)

// TestClosures hears once what the other side has closed, without its officers, and
// believes no form but that of an act.
func TestClosures(t *testing.T) {
	a, b := newPosts(t)
	ctx := context.Background()
	act := closure.Act{Number: 1, From: noon, Clause: "X-CLOSE", Agreement: "x", Cause: "health", Said: noon, Officer: "somebody"}
	b.state(func(st service.State) {
		st.Closures.Standings.Put(closure.Key{Site: 2, Side: "B"}, closure.Standing{Acts: []closure.Act{act}})
	})
	for range 2 {
		must(0, a.Pull(ctx))
	}
	if n := a.writer.count("closure.hear"); n != 1 {
		t.Errorf("noted %d times", n)
	}
	a.state(func(st service.State) {
		s, _ := st.Closures.Standings.Get(closure.Key{Site: 2, Side: "B"})
		if len(s.Acts) != 1 || s.Acts[0].Officer != "" || !s.Acts[0].From.Equal(noon) {
			t.Errorf("%+v", s)
		}
		if shut, ok := st.Closures.Closed(2, "visitor", "in", noon, time.UTC); !ok || shut.Act.Name.String() != "B1" {
			t.Errorf("%+v", shut)
		}
	})
	for name, change := range map[string]func(*closure.Act){
		"a sentence": func(a *closure.Act) { a.Clause = "Ali Khan is ill" }, "no time": func(a *closure.Act) { a.From = time.Time{} }, "no number": func(a *closure.Act) { a.Number = 0 },
	} {
		a, b := newPosts(t)
		d := a.deps
		d.Peer, d.TLS = b.liar(t, func(_ ask, an *answer) {
			bad := act
			change(&bad)
			an.Closures = []service.SiteClosures{{Site: 1, Standing: closure.Standing{Acts: []closure.Act{bad}}}}
		}), nil
		if err := must(New(d)).pullClosures(ctx); problem.KindOf(err) != problem.Untrusted || len(a.mem.Facts()) != 0 {
			t.Errorf("%s: got %v, %d facts", name, err, len(a.mem.Facts()))
		}
	}
}
