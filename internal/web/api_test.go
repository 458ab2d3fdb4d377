// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"cmp"
	"context"
	"darwaza.dev/internal/closure"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/market"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/stats"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// apiDoc loads the document that is served.
func apiDoc(t *testing.T, p *testPost) *openapi3.T {
	t.Helper()
	r := p.call("GET", "/api/v1/openapi.yaml", "", "", nil)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// pattern is the route of an operation: the path of a tile may hold slashes, which a path
// of OpenAPI has no way to say.
func pattern(method, path string) string {
	return method + " " + strings.Replace(path, "{path}", "{path...}", 1)
}

// TestDocumentIsWhole has an operation for each of the programs' routes and none besides,
// each saying who may call it as routes.go does.
func TestDocumentIsWhole(t *testing.T) {
	p := newTestPost(t)
	doc := apiDoc(t, p)
	described := map[string]*openapi3.Operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			described[pattern(method, path)] = op
		}
	}
	for _, rt := range p.server.table {
		if !rt.access.api {
			continue
		}
		op := described[rt.pattern]
		if op == nil {
			t.Errorf("%s is not described", rt.pattern)
			continue
		}
		delete(described, rt.pattern)
		if open := op.Security != nil && len(*op.Security) == 0; open != rt.access.open {
			t.Errorf("%s: security %v", rt.pattern, op.Security)
		}
		if !rt.access.open {
			_, said, _ := strings.Cut(op.Description, "Roles: ")
			said, _, _ = strings.Cut(said, ".")
			said, _, _ = strings.Cut(said, ";")
			var want []string
			for _, r := range rt.access.roles {
				want = append(want, string(r))
			}
			got := strings.Split(said, ", ")
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: described for %v, open to %v", rt.pattern, got, want)
			}
		}
		method, _, _ := strings.Cut(rt.pattern, " ")
		keyed := slices.ContainsFunc(op.Parameters, func(x *openapi3.ParameterRef) bool { return x.Value.Name == "Idempotency-Key" })
		if writes := method == "POST" && !strings.HasSuffix(rt.pattern, "/check") && !strings.HasSuffix(rt.pattern, "/verdict"); writes != keyed {
			t.Errorf("%s: Idempotency-Key %v", rt.pattern, keyed)
		}
	}
	for op := range described {
		t.Errorf("%s is described and not there", op)
	}
}

// maker makes random values for a schema. Now and then it takes something that an
// earlier answer gave, and now and then something that does not belong.
type maker struct {
	*rand.Rand
	seen    map[string][]string // by field name
	pairs   [][2]string         // passes with serials of scans
	leaving [][2]string         // of those, with goods that are left to an officer
	waiting [][2]string         // of those, who wait for a decision
	clean   bool                // this call is meant well
}

var examples = map[string][]string{
	"site": {"mand-pishin", "mand-pishin", "gabd-reemdan", "nowhere"}, "class": {"visitor", "vendor", "goat"}, "level": {"normal", "guarded", "high", "guarded-2"}, "profiles": {"cholera", "ebola", "gout"}, "day": {"2025-09-02", "2025-09-06", "1999-01-01", "2025-13-40"},
	"direction": {"in", "out"}, "good": {"07020000", "0702.0000", "08105000", "99999999"}, "kind": {"cnic", "passport"}, "country": {"PAK", "IRN"},
	"from": {"2025-09-01"}, "until": {"2025-12-31", "2020-01-01"}, "why": slices.Concat([]string{"whim"}, gate.Grounds[:], market.Grounds[:], gate.GoodsGrounds[:]), "currency": {"USD"}, "unit": {"kg", "piece"},
	"text": {"DW1:FOO", "R-000000000000", "DR1:"}, "at": {"2025-09-02T05:00:00Z", "soon"}, "known": {"2025-09-01T05:00:00Z"}, "agreement": {"pk-ir-border-markets", "nobody's"}, "decided": {""}, "ground": {"facts", "input"}, "next": {"nothing"}, "clause": {""}, "replaces": {""}, "card": {"V-1"},
}

var numbers = map[string][]int{"gate": {1}, "temp_tenths": {0, 366, 380}, "children": {0, 0, 1}, "again": {0}, "quantity": {1000, 30_000}, "value": {0}, "minor": {100, 2500}, "member": {0}}

var strange = []string{"", " ", "\u0000", "\u202e", "💥", strings.Repeat("x", 3000), "<script>", "' OR 1=1 --", "۱۲۳", "-1", "1e400", "null"}

func (m *maker) text(name string, s *openapi3.Schema) string {
	if seen := m.seen[name]; len(seen) > 0 && m.IntN(3) > 0 {
		return seen[m.IntN(len(seen))]
	}
	if !m.clean && m.IntN(6) == 0 {
		return strange[m.IntN(len(strange))]
	}
	if len(s.Enum) > 0 {
		return fmt.Sprint(s.Enum[m.IntN(len(s.Enum))])
	}
	switch name {
	case "number":
		return cnic(m.IntN(400))
	case "slot", "to":
		return slotIDText(hour(8 + m.IntN(8)))
	}
	if e := examples[name]; e != nil {
		return e[m.IntN(len(e))]
	}
	return strings.Repeat("a", 1+m.IntN(12))
}

func (m *maker) value(name string, ref *openapi3.SchemaRef, depth int) any {
	s := ref.Value
	if !m.clean && m.IntN(20) == 0 {
		return []any{nil, true, -1, 1 << 40, "x", []any{}, map[string]any{"x": 1}, 1.5}[m.IntN(8)]
	}
	switch {
	case s.Type.Is("object"):
		v := map[string]any{}
		for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
			fs := s.Properties[field]
			if slices.Contains(s.Required, field) && (m.clean || m.IntN(20) > 0) || m.IntN(3) == 0 {
				v[field] = m.value(field, fs, depth+1)
			}
		}
		if _, ok := v["pass_id"]; ok && s.Properties["serial"] != nil && len(m.pairs) > 0 {
			// The newest scans are the ones that may still wait for a decision. Of goods few are
			// left to one, and those wait until it is taken.
			pairs := m.pairs
			switch half := m.IntN(2) == 0; {
			case s.Properties["go"] != nil && len(m.leaving) > 0 && half:
				pairs = m.leaving
			case s.Properties["admit"] != nil && len(m.waiting) > 0 && half:
				pairs = m.waiting
			}
			pair := pairs[len(pairs)-1-m.IntN(min(8, len(pairs)))]
			v["pass_id"], v["serial"] = pair[0], json.Number(pair[1])
		}
		if !m.clean && m.IntN(20) == 0 {
			v["unknown"] = 1
		}
		return v
	case s.Type.Is("array"):
		v := []any{}
		for range 1 + m.IntN(3) {
			v = append(v, m.value(name, s.Items, depth+1))
		}
		return v
	case s.Type.Is("integer"):
		if seen := m.seen[name]; len(seen) > 0 && m.IntN(2) > 0 {
			return json.Number(seen[m.IntN(len(seen))])
		}
		if n := numbers[name]; n != nil && m.IntN(8) > 0 {
			return n[m.IntN(len(n))]
		}
		return []int{0, 1, 2, 9, 1000, 365, 380}[m.IntN(7)]
	case s.Type.Is("boolean"):
		return m.IntN(2) == 0
	}
	return m.text(name, s)
}

// keep remembers the names and numbers of an answer for later calls.
func (m *maker) keep(v any, name string) {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["pass_id"].(string); ok {
			if scan, ok := v["scan"].(map[string]any); ok {
				pair := [2]string{id, scan["serial"].(json.Number).String()}
				m.pairs = append(m.pairs, pair)
				if goods, ok := v["goods"].(map[string]any); ok && goods["outcome"] == reason.Refer.String() {
					m.leaving = append(m.leaving, pair)
				}
				if o, _ := reason.ParseOutcome(fmt.Sprint(scan["outcome"])); o.NeedsOfficer() {
					m.waiting = append(m.waiting, pair)
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m.keep(v[k], k)
		}
	case []any:
		for _, x := range v {
			m.keep(x, name)
		}
	case string:
		switch name {
		case "reference":
			m.add("ref", v)
		case "request":
			m.add("request", v)
			m.add("answer", v)
		case "pass":
			m.add("pass", v)
			m.add("text", v)
		case "receipt":
			m.add("text", v)
		case "case":
			m.add("case", v)
		case "turned":
			m.add("answer", v)
		case "pass_id":
			m.add("pass_id", v)
		case "number":
			if strings.HasPrefix(v, "R-") {
				m.add("receipt", v)
			}
		}
	case json.Number:
		if name == "serial" || name == "first" {
			m.add(name, v.String())
		}
	}
}

func (m *maker) add(name, v string) {
	if len(m.seen[name]) > 200 {
		m.seen[name] = m.seen[name][100:]
	}
	m.seen[name] = append(m.seen[name], v)
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// TestRandomCalls makes calls at random, in sequences that build on each other, and
// holds every answer against the document.
func TestRandomCalls(t *testing.T) {
	p := newTestPost(t)
	held := p.hold()
	doc := apiDoc(t, p)
	rng := rand.New(rand.NewPCG(7, 11))
	m := &maker{Rand: rng, seen: map[string][]string{}}
	type operation struct {
		method, path string
		op           *openapi3.Operation
	}
	var ops []operation
	for _, path := range doc.Paths.InMatchingOrder() {
		for method, op := range doc.Paths.Find(path).Operations() {
			ops = append(ops, operation{method, path, op})
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.method+a.path, b.method+b.path) })
	// A few things to build on: values, people with passes, purchases, scans that wait for a decision.
	keep := func(r reply) {
		d := json.NewDecoder(strings.NewReader(r.body))
		d.UseNumber()
		var v any
		p.must(d.Decode(&v))
		m.keep(v, "")
	}
	keep(p.call("POST", "/api/v1/values", "customs", "prime-0000000000", displayIn{Site: "mand-pishin", Values: []displayValueIn{{"07020000", 100, "USD", "kg"}}}))
	for i := range 6 {
		keep(p.call("POST", "/api/v1/bookings", "clerk", fmt.Sprintf("prime-held-%06d", i), bookIn{Slot: slotIDText(held), People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(800 + i)}}}}))
		doc := documentIn{"cnic", "PAK", cnic(500 + i)}
		b := p.call("POST", "/api/v1/bookings", "clerk", fmt.Sprintf("prime-book-%06d", i), bookIn{Slot: slotIDText(hour(9)), People: []personIn{{Document: doc}}})
		keep(b)
		text := into[bookingAnswerOut](t, b).Booking.Members[0].Pass
		keep(p.call("POST", "/api/v1/gate/scans", "gate", fmt.Sprintf("prime-scan-%06d", i), scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: text}))
		keep(p.call("POST", "/api/v1/desk/purchases", "customs", fmt.Sprintf("prime-buy-%07d", i), buyIn{Site: "mand-pishin", Pass: text, Buyer: &buyerIn{"Gul", doc}, Good: "07020000", Quantity: 1000}))
	}
	// And goods that wait at the way out: what the tax clause asks for is not known here.
	for i := range 3 {
		doc := documentIn{"cnic", "PAK", cnic(700 + i)}
		b := p.call("POST", "/api/v1/bookings", "clerk", fmt.Sprintf("prime-goer-%06d", i), bookIn{Slot: slotIDText(hour(9)), People: []personIn{{Document: doc}}})
		text := into[bookingAnswerOut](t, b).Booking.Members[0].Pass
		p.call("POST", "/api/v1/desk/purchases", "customs", fmt.Sprintf("prime-lot-%07d", i), buyIn{Site: "mand-pishin", Pass: text, Buyer: &buyerIn{"Gul", doc}, Good: "07020000", Quantity: 1000})
		out := p.call("POST", "/api/v1/gate/scans", "gate", fmt.Sprintf("prime-out-%07d", i), scanIn{Site: "mand-pishin", Gate: 1, Direction: "out", Pass: text})
		if g := into[scanOut](t, out).Goods; g == nil || g.Outcome != reason.Refer {
			t.Fatalf("no goods wait: %s", out.body)
		}
		keep(out)
	}
	answered := map[string]int{}
	// Somebody who waits at the gate does so until the day ends, which is soon in this test:
	// one of them is turned back first.
	if len(m.waiting) == 0 {
		t.Fatal("nobody waits at the gate")
	}
	d := p.call("POST", "/api/v1/gate/decisions", "supervisor", "prime-decide-0001", map[string]any{"site": "mand-pishin", "gate": 1,
		"pass_id": m.waiting[0][0], "serial": json.Number(m.waiting[0][1]), "admit": false, "why": "doubt"})
	keep(d)
	answered[fmt.Sprint("decide ", d.StatusCode/100)]++
	// No call at random makes up a certificate.
	c := p.call("POST", "/api/v1/certificates/check", "clerk", "prime-certificate-1", certificateIn{Slot: slotIDText(hour(9)), Certificate: "HC1:6BFOXN*TS0BI$ZD"})
	answered[fmt.Sprint("checkCertificate ", c.StatusCode/100)]++
	// Nor does one close a site, without which nothing is lifted and no plan is signed.
	p.call("POST", "/api/v1/closures", "supervisor", "prime-closure-close", closeIn{Site: "chedgi-kouhak", Clause: "X-CLOSE", Cause: "works"})
	theirs := closure.Plan{Number: 1, Ends: []closure.Name{{Side: "A", Number: 1}}, Waiting: 1, Said: p.now, Stages: []closure.Stage{{From: dayDate(hour(10).Day() + 9), Places: 9}}}
	_, err := p.Do(context.Background(), service.Idem{}, service.HearClosures{Sites: []service.SiteClosures{{Site: 3, Standing: closure.Standing{Plans: []closure.Plan{theirs}}}}})
	p.must(err)
	digest := theirs.Digest("B")
	for _, x := range []struct {
		id, path string
		in       any
	}{
		{"planReopening", "/plans", planIn{Site: "chedgi-kouhak", Stages: []stageIn{{From: dayDate(hour(10).Day() + 9).String(), Places: 9}}}},
		{"acceptReopening", "/plans/accept", acceptPlanIn{Site: "chedgi-kouhak", Number: 1, Digest: hex.EncodeToString(digest[:])}},
		{"lift", "/lift", liftIn{Site: "chedgi-kouhak", Number: 1}},
	} {
		r := p.call("POST", "/api/v1/closures"+x.path, "supervisor", "prime-closure-"+x.id, x.in)
		answered[fmt.Sprint(x.id, " ", r.StatusCode/100)]++
	}
	// Goods wait until the day ends, as people do.
	g := p.call("POST", "/api/v1/gate/goods", "supervisor", "prime-goods-00001", map[string]any{"site": "mand-pishin",
		"pass_id": m.leaving[0][0], "serial": json.Number(m.leaving[0][1]), "go": false, "why": gate.GoodsGrounds[0]})
	answered[fmt.Sprint("decideGoods ", g.StatusCode/100)]++
	for i := range 8000 {
		o := ops[rng.IntN(len(ops))]
		m.clean = rng.IntN(4) > 0
		params := map[string]string{}
		path := wildcard.ReplaceAllStringFunc(o.path, func(w string) string {
			name := w[1 : len(w)-1]
			switch name {
			case "index":
				params[name] = fmt.Sprint(rng.IntN(5))
			case "number":
				params[name] = urlPath(m.text("receipt", openapi3.NewStringSchema()))
			case "path":
				params[name] = "0/000"
			default:
				params[name] = urlPath(m.text(name, openapi3.NewStringSchema()))
			}
			return params[name]
		})
		query := ""
		for _, prm := range o.op.Parameters {
			if prm.Value.In == "query" && (prm.Value.Required || rng.IntN(2) == 0) {
				query += "&" + prm.Value.Name + "=" + urlQuery(m.text(prm.Value.Name, prm.Value.Schema.Value))
			}
		}
		var body []byte
		if o.op.RequestBody != nil {
			b, err := json.Marshal(m.value("", o.op.RequestBody.Value.Content.Get("application/json").Schema, 0))
			p.must(err)
			body = b
		}
		r := httptest.NewRequest(o.method, path+"?"+strings.TrimPrefix(query, "&"), bytes.NewReader(body))
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", fmt.Sprintf("random-%016d", i-rng.IntN(2)))
		}
		role := people.Roles[rng.IntN(len(people.Roles))]
		if rng.IntN(3) > 0 {
			for _, rt := range p.server.table {
				if rt.access.api && rt.pattern == pattern(o.method, o.path) && len(rt.access.roles) > 0 {
					role = rt.access.roles[rng.IntN(len(rt.access.roles))]
				}
			}
		}
		r.Header.Set("Authorization", "Bearer token-"+string(role))
		got := p.send(r)
		where := fmt.Sprintf("call %d: %s %s %s", i, o.method, r.URL, body)
		if got.StatusCode >= 500 {
			t.Fatalf("%s: %d %s\n%s", where, got.StatusCode, got.body, lastLines(p.log.String()))
		}
		answered[fmt.Sprint(o.op.OperationID, " ", got.StatusCode/100)]++

		route := &routers.Route{Spec: doc, Path: o.path, PathItem: doc.Paths.Find(o.path), Method: o.method, Operation: o.op}
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: got.StatusCode, Header: got.Header, Body: io.NopCloser(strings.NewReader(got.body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !strings.Contains(got.Header.Get("Content-Type"), "json")}}
		if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
			t.Fatalf("%s: %d %s\n%v", where, got.StatusCode, got.body, err)
		}
		if got.StatusCode == 200 && body != nil {
			// What the document forbids, the server must not have taken.
			in.Request.Body = io.NopCloser(bytes.NewReader(body))
			if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && !lenient(err) {
				t.Errorf("%s: taken, and the document forbids it: %v", where, err)
			}
		}
		if strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
			keep(got)
		}
		p.now = p.now.Add(time.Duration(rng.IntN(24)) * time.Second)
	}
	// Nor does one guess a clause together with its agreement.
	for _, c := range into[casesOut](t, p.call("GET", "/api/v1/cases?site=mand-pishin", "supervisor", "", nil)).Cases {
		reply := caseReply{Ground: "facts", Next: "nothing", Words: "No."}
		for _, g := range c.Reasons {
			reply.Clause = cmp.Or(reply.Clause, g.Clause)
		}
		a := p.call("POST", "/api/v1/cases/"+string(c.Case)+"/answer", "supervisor", "last-answer-"+string(c.Case), reply)
		answered[fmt.Sprint("answerCase ", a.StatusCode/100)]++
	}
	// Every operation was answered well at least once: the test has not been knocking at shut doors.
	for _, o := range ops {
		if answered[o.op.OperationID+" 2"] == 0 {
			t.Errorf("%s was never answered well: %v", o.op.OperationID, answered)
		}
	}
	// And whatever was done, no slot is over its allotment.
	p.must(p.mem.View(context.Background(), func(st service.State) error {
		for h := range 24 {
			if s, ok := st.Booking.Slots.Get(hour(h)); ok && s.Taken+s.Withheld+s.Offered > s.Allotment+s.Excess {
				t.Errorf("oversold: %+v", s)
			}
		}
		return nil
	}))
}

// lenient lets pass what the server takes more kindly than the document says: null for a
// missing field, an empty text for one, and a missing field where nothing stands for it.
func lenient(err error) bool {
	s := strings.TrimSpace(err.Error())
	return strings.Contains(s, "null") || strings.Contains(s, "is missing") || strings.HasSuffix(s, "\n\"\"") || strings.HasSuffix(s, "  \"\"")
}

func urlPath(s string) string {
	return strings.NewReplacer("/", "_", "?", "_", "#", "_", "%", "_", " ", "_", "\x00", "_").Replace(strings.ToValidUTF8(defaultTo(s, "_"), "_"))
}

func defaultTo(s, d string) string {
	if s == "" || s == "." || s == ".." {
		return d
	}
	return s
}

func lastLines(s string) string { return s[max(0, len(s)-2000):] }

// TestProgramsDay plays a visitor's day through the API: book, enter, buy, be refused,
// leave; with the answers lost on the way.
func TestProgramsDay(t *testing.T) {
	p := newTestPost(t)
	slots := into[slotsOut](t, p.call("GET", "/api/v1/slots?site=mand-pishin&class=visitor&day=2025-09-02", "", "", nil))
	var slot freeSlotOut
	for _, s := range slots.Slots {
		if s.ID == slotIDText(hour(10)) {
			slot = s
		}
	}
	if slot.Free != 200 || slot.Capacity != 400 || slot.From != time.Date(2025, 9, 2, 5, 0, 0, 0, time.UTC) {
		t.Fatalf("%+v", slot)
	}
	display := displayIn{Site: "mand-pishin", Values: []displayValueIn{{Good: "07020000", Minor: 100, Currency: "USD", Unit: "kg"}, {Good: "08105000", Minor: 200, Currency: "USD", Unit: "kg"}}}
	if r := p.call("POST", "/api/v1/values", "customs", "display-00000001", display); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	doc := documentIn{"cnic", "PAK", cnic(1)}
	book := bookIn{Slot: slot.ID, People: []personIn{{Name: "Gul Bano", Document: doc, Children: 1}}}
	p.lost = true
	if r := p.call("POST", "/api/v1/bookings", "clerk", "book-00000000001", book); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Fatalf("lost: %d %s", r.StatusCode, r.body)
	}
	b := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", "book-00000000001", book))
	if b.Verdict.Outcome != reason.Allow || b.Booking == nil || !b.Record.Again || len(b.Booking.Members) != 1 || b.Booking.Members[0].Pass == "" {
		t.Fatalf("%+v", b)
	}
	// The same key of another program is another act.
	if r := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "supervisor", "book-00000000001", book)); r.Verdict.Outcome != reason.Refuse || r.Booking != nil || len(r.Says) == 0 {
		t.Errorf("the same person again: %+v", r)
	}
	text := b.Booking.Members[0].Pass
	if c := into[passCheckOut](t, p.call("POST", "/api/v1/passes/check", "gate", "", checkIn{text})); !c.Good || c.PassID != b.Booking.Members[0].PassID || c.Slot.ID != slot.ID {
		t.Errorf("%+v", c)
	}
	p.now = time.Date(2025, 9, 2, 5, 10, 0, 0, time.UTC)
	scan := scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: text, Document: &doc, Screening: &screeningIn{TempTenths: 366}}
	p.lost = true
	p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000001", scan)
	in := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000001", scan))
	if in.Verdict.Outcome != reason.Allow || !in.Scan.Counted || in.Inside != 2 || in.People != 2 || !in.InsideIs || in.Cap != 600 || in.Class != "visitor" {
		t.Fatalf("in: %+v", in)
	}
	if again := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000002", scan)); again.Verdict.Outcome == reason.Allow || again.Earlier == nil {
		t.Errorf("a second entry: %+v", again)
	}
	buyer := &buyerIn{Name: "Gul Bano", Document: doc}
	buy := into[buyOut](t, p.call("POST", "/api/v1/desk/purchases", "customs", "buy-000000000001", buyIn{Site: "mand-pishin", Pass: text, Buyer: buyer, Good: "0702.0000", Quantity: 30_000}))
	if buy.Verdict.Outcome != reason.Allow || buy.Purchase == nil || buy.Purchase.Duty == nil || *buy.Purchase.Duty != 150 || !strings.HasPrefix(buy.Receipt, "DR1:") {
		t.Fatalf("buy: %+v", buy)
	}
	receipt, fault := p.server.deps.Trust().VerifyReceipt(buy.Receipt)
	if fault != "" || !receipt.MadeOutTo("gul bano", cnic(1)) || receipt.Duty != 150 {
		t.Errorf("%v %+v", fault, receipt)
	}
	for _, shown := range []string{buy.Receipt, buy.Purchase.Number, strings.ToLower(buy.Purchase.Number)} {
		if c := into[receiptCheckOut](t, p.call("POST", "/api/v1/receipts/check", "", "", checkIn{shown})); !c.Good || !c.Known || c.Purchase.Value != 3000 {
			t.Errorf("%.20s: %+v", shown, c)
		}
	}
	dear := into[buyOut](t, p.call("POST", "/api/v1/desk/purchases", "customs", "buy-000000000002", buyIn{Site: "mand-pishin", Pass: text, Buyer: buyer, Good: "07020000", Quantity: 25_000}))
	if dear.Verdict.Outcome != reason.Divert || dear.Purchase != nil || len(dear.Says) == 0 {
		t.Errorf("over the category: %+v", dear)
	}
	void := into[buyOut](t, p.call("POST", "/api/v1/desk/purchases/"+buy.Purchase.Number+"/void", "customs", "void-00000000001", voidIn{Why: market.Grounds[0]}))
	if void.Purchase == nil || !void.Purchase.Void || len(void.Bought) != 0 {
		t.Errorf("void: %+v", void)
	}
	scan.Direction, scan.Document, scan.Screening = "out", nil, nil
	out := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "scan-00000000003", scan))
	if out.Verdict.Outcome != reason.Allow || out.Inside != 0 {
		t.Errorf("out: %+v", out)
	}
	day := into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/2025-09-02", "supervisor", "", nil))
	if day.Here.Entries != 2 || day.Here.Exits != 2 || day.Purchases != 1 || day.Booked != 2 {
		t.Errorf("day: %+v", day)
	}
}

// TestDayOfTheOtherSide: a program reads what the other side has counted of its whole day,
// in the form of this side's, with its age.
func TestDayOfTheOtherSide(t *testing.T) {
	p := newTestPost(t)
	at := p.now.Add(-3 * time.Minute).Truncate(time.Second)
	tell := func(whole *stats.Day) dayOut {
		p.now, at = p.now.Add(time.Minute), at.Add(time.Minute)
		_, err := p.mem.Do(context.Background(), service.Idem{}, service.OtherFigures{Site: 1, Day: hour(10).Day(), Figures: stats.Other{Inside: 41, Entries: 60, AsOf: at, Whole: whole}})
		p.must(err)
		return into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/"+dayDate(hour(10).Day()).String(), "supervisor", "", nil))
	}
	if d := tell(nil); d.There == nil || d.There.Entries != 60 || d.There.Day != nil {
		t.Errorf("%+v", d.There)
	}
	d := tell(&stats.Day{Booked: 70, TurnedBack: 2, Arrivals: make([]uint32, stats.Buckets), Outcomes: map[reason.Outcome]uint32{reason.Refuse: 7},
		Reasons: []stats.ReasonCount{{ReasonKey: stats.ReasonKey{Code: booking.CodeFull}, Count: 6}}, Categories: map[string]stats.Category{"I": {Lots: 8}}})
	if d.There == nil || d.There.Day == nil {
		t.Fatalf("%+v", d.There)
	}
	x := d.There.Day
	if !x.AsOf.Equal(at) || x.Booked != 70 || x.TurnedBack != 2 || len(x.Arrivals) != stats.Buckets || x.Outcomes["REFUSE"] != 7 || len(x.Reasons) != 1 || len(x.Categories) != 1 || x.Categories[0].Lots != 8 {
		t.Errorf("%+v", x)
	}
	if d.Booked != 0 || d.NotBooked != 0 {
		t.Errorf("this side's: %+v", d)
	}
}

// TestOpenSales: a program reads up to which day nothing is sold, and a supervisor's opens
// the site again, once.
func TestOpenSales(t *testing.T) {
	p := newTestPost(t)
	read := func() string {
		return into[dayOut](t, p.call("GET", "/api/v1/days/mand-pishin/"+dayDate(hour(10).Day()).String(), "supervisor", "", nil)).HeldUpto
	}
	if held := read(); held != "" {
		t.Errorf("held up to %s", held)
	}
	_, err := p.mem.Do(context.Background(), service.Idem{}, service.BeginList{List: 7, Hold: true})
	p.must(err)
	if held := read(); held <= dayDate(hour(10).Day()).String() {
		t.Errorf("held up to %q", held)
	}
	in := salesIn{Site: "mand-pishin"}
	if r := p.call("POST", "/api/v1/sales/open", "manager", "open-sales-manager", in); r.StatusCode != http.StatusForbidden {
		t.Errorf("a manager opens sales: %d", r.StatusCode)
	}
	if r := p.call("POST", "/api/v1/sales/open", "supervisor", "open-sales-nowhere", salesIn{Site: "nowhere"}); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusUnprocessableEntity && r.StatusCode != http.StatusBadRequest {
		t.Errorf("a site that is none: %d", r.StatusCode)
	}
	if a := into[salesOut](t, p.call("POST", "/api/v1/sales/open", "supervisor", "open-sales-000001", in)); !a.Opened || a.Record.Count != 1 {
		t.Errorf("%+v", a)
	}
	if held := read(); held != "" {
		t.Errorf("held up to %s", held)
	}
	if a := into[salesOut](t, p.call("POST", "/api/v1/sales/open", "supervisor", "open-sales-000002", in)); a.Opened || a.Record.Count != 0 {
		t.Errorf("again: %+v", a)
	}
}

// TestBadPasses shows the gate what is no pass: each has its own fault, and 200.
func TestBadPasses(t *testing.T) {
	p := newTestPost(t)
	b := into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", "book-00000000001", bookIn{Slot: slotIDText(hour(10)), People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(1)}}}}))
	good := b.Booking.Members[0].Pass
	p.now = time.Date(2025, 9, 2, 5, 10, 0, 0, time.UTC)
	altered := []byte(good)
	if altered[100]++; altered[100] == ':'+1 {
		altered[100] = '0'
	}
	for i, c := range []struct {
		pass  string
		fault string
	}{
		{"", "pass.form."}, {"hello", "pass.form."}, {"HC1:ABC", "pass.form."}, {"https://example.org", "pass.form."}, {"DW1:", "pass.form."},
		{"DW9:ABC", "pass.form."}, {good[:50], "pass.form."}, {string(altered), "pass."},
	} {
		r := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", fmt.Sprintf("bad-%012d", i), scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: c.pass}))
		if !strings.HasPrefix(r.Fault, c.fault) || r.Verdict.Outcome == reason.Allow || r.Scan.Counted || len(r.Says) == 0 {
			t.Errorf("%.20q: %+v", c.pass, r)
		}
	}
	// The other side's pass is good at this side's gate, with the holder's document.
	doc, err := documentIn{"national-id", "IRN", "0084575948"}.parse("")
	p.must(err)
	id := pass.ID{1, 2, 3, 4, 5, 6, 7, 8}
	e, _ := p.law.Edition(p.now)
	theirs, err := pass.Sign(p.keyB, pass.Claims{ID: id, Side: pass.SideB, Edition: e.Hash.Prefix(), Binding: p.server.deps.Secrets.Bind(id, doc.Key()), Site: 1, Slot: uint64(hour(10)), Class: 1, Place: 3,
		NotBefore: time.Date(2025, 9, 1, 19, 0, 0, 0, time.UTC), Expires: time.Date(2025, 9, 2, 19, 0, 0, 0, time.UTC), IssuedAt: marketDay})
	p.must(err)
	_, err = p.mem.Do(context.Background(), service.Idem{}, service.Withdrawn{Side: "B"})
	p.must(err)
	scan := scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: theirs, Document: &documentIn{"national-id", "IRN", "0084575948"}, Screening: &screeningIn{TempTenths: 366}}
	r := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "theirs-000000001", scan))
	if r.Verdict.Outcome != reason.Allow || r.Issuer != "B" || !r.Scan.Counted {
		t.Errorf("theirs: %+v", r)
	}
	scan = scanIn{Site: "mand-pishin", Gate: 1, Direction: "in", Pass: good, Document: &documentIn{"cnic", "PAK", cnic(9)}, Screening: &screeningIn{TempTenths: 366}}
	if r := into[scanOut](t, p.call("POST", "/api/v1/gate/scans", "gate", "another-00000001", scan)); r.Verdict.Outcome != reason.Refuse || r.Scan.Counted {
		t.Errorf("with another's document: %+v", r)
	}
	scan.Gate = 2
	if r := p.call("POST", "/api/v1/gate/scans", "gate", "another-00000002", scan); r.StatusCode != 400 || into[problemDocument](t, r).Field != "gate" {
		t.Errorf("at the other side's gate: %d %s", r.StatusCode, r.body)
	}
}

// TestQueueByProgram has the queue's place in a booking's document.
func TestQueueByProgram(t *testing.T) {
	p := newTestPost(t)
	p.fill(hour(12), 0)
	var last bookingAnswerOut
	for i := range 3 {
		last = into[bookingAnswerOut](t, p.call("POST", "/api/v1/bookings", "clerk", fmt.Sprintf("wait-%012d", i), bookIn{Slot: slotIDText(hour(12)), Waits: true, Standing: true, People: []personIn{{Document: documentIn{"cnic", "PAK", cnic(i)}}}}))
		if last.Booking == nil || last.Booking.Status != "waiting" {
			t.Fatalf("%+v", last)
		}
	}
	b := into[bookingOut](t, p.call("GET", "/api/v1/bookings/"+last.Booking.Reference, "clerk", "", nil))
	if b.Ahead == nil || *b.Ahead != 2 || b.Members[0].Pass != "" {
		t.Errorf("%+v", b)
	}
	if r := p.call("GET", "/api/v1/bookings/000000000000", "clerk", "", nil); r.StatusCode != 404 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := p.call("POST", "/api/v1/bookings/"+last.Booking.Reference+"/decline", "clerk", "decline-00000001", struct{}{}); r.StatusCode != 200 {
		t.Errorf("decline: %d %s", r.StatusCode, r.body)
	}
	if s := statusWord(booking.Status(99)); s != "unknown" {
		t.Error(s)
	}
}

// BenchmarkBookByProgram measures the handler with maps below it: what HTTP, JSON, keys
// and signatures cost. Every booking gets a place.
func BenchmarkBookByProgram(b *testing.B) {
	p := newTestPost(b)
	var slots []booking.SlotID
	for _, site := range []uint16{1, 2, 3} {
		for day := uint16(9376); day < 9390; day++ {
			for _, plan := range p.law.Slots(site, day, 1) {
				if plan.Until.After(p.now) {
					slots = append(slots, booking.MakeSlotID(site, 1, day, plan.Minute))
				}
			}
		}
	}
	n := 0
	for b.Loop() {
		n++
		body := fmt.Sprintf(`{"slot":"%d","people":[{"document":{"kind":"cnic","country":"PAK","number":"%013d"}}]}`, slots[n%len(slots)], 3520212345671+n)
		r := httptest.NewRequest(http.MethodPost, "/api/v1/bookings", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer token-clerk")
		r.Header.Set("Idempotency-Key", fmt.Sprintf("bench-%016d", n))
		w := httptest.NewRecorder()
		p.server.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body.String())
		}
	}
}
