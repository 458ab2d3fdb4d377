// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
)

const (
	marketLaw = "pk-ir-border-markets"
	polioLaw  = "who-polio"
)

// twoAgreements are both sides' posts, made under the law of the markets and the polio
// recommendations, which share the site mand-pishin.
type twoAgreements struct {
	t    *testing.T
	dir  string
	now  time.Time
	made map[agreement.Side]*post.Made
}

func makeTwo(t *testing.T) *twoAgreements {
	t.Helper()
	w := &twoAgreements{t: t, dir: t.TempDir(), now: time.Date(2025, 9, 2, 3, 30, 0, 0, time.UTC), made: map[agreement.Side]*post.Made{}}
	for _, id := range []string{marketLaw, polioLaw} {
		w.write("unsigned-"+id, w.pkg(id))
	}
	for _, side := range []agreement.Side{agreement.A, agreement.B} {
		made, err := post.Init(t.Context(), post.New{
			Dir: filepath.Join(w.dir, string(side)), Side: side, Agreement: filepath.Join(w.dir, "unsigned-"+marketLaw),
			Beside: []string{filepath.Join(w.dir, "unsigned-"+polioLaw)}, Listen: "127.0.0.1:0", HTTP: true, Now: w.now,
			Officers: []post.NewOfficer{
				{Login: "head", Name: "Head Of Post", Roles: []people.Role{people.Admin, people.Supervisor, people.Clerk, people.GateOfficer, people.Customs}, Site: "mand-pishin"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.made[side] = made
	}
	return w
}

func (w *twoAgreements) pkg(id string) fs.FS {
	w.t.Helper()
	f, err := fs.Sub(agreements.FS, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *twoAgreements) write(name string, f fs.FS) string {
	w.t.Helper()
	dir := filepath.Join(w.dir, name)
	if err := os.CopyFS(dir, f); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// sign puts keys into a package and has two people of each side sign it. Each entry of
// parties says whose keys are side A's and side B's.
func (w *twoAgreements) sign(name, id string, parties map[agreement.Side]*post.Keys) string {
	w.t.Helper()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	joint := map[string][]byte{}
	var signs []func(*agreement.Edition) (map[string][]byte, error)
	for side, keys := range parties {
		public, err := keys.Public()
		must(err)
		file, data := agreement.KeysFile(side, public)
		joint[file] = data
		certs, sign, err := post.TwoPeople(keys.Root, side, w.now)
		must(err)
		maps.Copy(joint, certs)
		signs = append(signs, sign)
	}
	keyed, err := agreement.Overlay(w.pkg(id), joint)
	must(err)
	e, err := agreement.Load(keyed)
	must(err)
	for _, sign := range signs {
		signatures, err := sign(e)
		must(err)
		maps.Copy(joint, signatures)
	}
	signed, err := agreement.Overlay(w.pkg(id), joint)
	must(err)
	return w.write(name, signed)
}

func (w *twoAgreements) keys(side agreement.Side) *post.Keys { return w.made[side].Keys }

func (w *twoAgreements) own() map[agreement.Side]*post.Keys {
	return map[agreement.Side]*post.Keys{agreement.A: w.keys(agreement.A), agreement.B: w.keys(agreement.B)}
}

// program opens side A's post under the agreements and returns a program of it.
func (w *twoAgreements) program(folders ...string) (*post.Post, func(method, path string, in any) map[string]any) {
	w.t.Helper()
	t, made := w.t, w.made[agreement.A]
	conf := made.Config
	conf.Agreements, conf.Owner.Listen = folders, ""
	sum := sha256.Sum256([]byte("token"))
	conf.Clients = []post.ClientConfig{{Name: "office", Token: hex.EncodeToString(sum[:]), Officer: made.Officers[0].ID,
		Roles: []people.Role{people.Supervisor, people.Clerk, people.GateOfficer, people.Customs}}}
	p, err := post.Open(t.Context(), conf, post.Options{Clock: func() time.Time { return w.now }, Keys: made.Keys, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	n := 0
	return p, func(method, path string, in any) map[string]any {
		t.Helper()
		var body bytes.Buffer
		if in != nil {
			if err := json.NewEncoder(&body).Encode(in); err != nil {
				t.Fatal(err)
			}
		}
		r := httptest.NewRequest(method, path, &body)
		r.Header.Set("Authorization", "Bearer token")
		if in != nil {
			n++
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "several-agreements-"+strconv.Itoa(100+n))
		}
		got := httptest.NewRecorder()
		p.Handler().ServeHTTP(got, r)
		if got.Code != http.StatusOK && got.Code != http.StatusCreated {
			t.Fatalf("%s %s: %d %s", method, path, got.Code, got.Body)
		}
		var out map[string]any
		if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, got.Body)
		}
		return out
	}
}

// parts are the outcomes of an answer by agreement, and whether a reason names both a
// clause and its agreement.
func parts(t *testing.T, answer map[string]any) (outcome string, by map[string]string, reasons []map[string]any) {
	t.Helper()
	v, ok := answer["verdict"].(map[string]any)
	if !ok {
		t.Fatalf("no verdict in %v", answer)
	}
	by = map[string]string{}
	list, _ := v["parts"].([]any)
	for _, p := range list {
		m := p.(map[string]any)
		by[m["agreement"].(string)] = m["outcome"].(string)
	}
	list, _ = v["reasons"].([]any)
	for _, r := range list {
		reasons = append(reasons, r.(map[string]any))
	}
	return v["outcome"].(string), by, reasons
}

func gives(reasons []map[string]any, agreement, outcome string) bool {
	return slices.ContainsFunc(reasons, func(r map[string]any) bool {
		return r["agreement"] == agreement && r["outcome"] == outcome && r["clause"] != nil
	})
}

// TestTwoAgreements runs a post under the law of the markets and the polio
// recommendations: who books and comes to the gate gets both answers, and who is refused by
// one is refused with that one's clause.
func TestTwoAgreements(t *testing.T) {
	w := makeTwo(t)
	p, ask := w.program(w.sign("market", marketLaw, w.own()), w.sign("polio", polioLaw, w.own()))
	site := "mand-pishin"
	known := ask("GET", "/api/v1/agreement", nil)
	if list, _ := known["agreements"].([]any); len(list) != 2 {
		t.Errorf("the post runs under %v", known["agreements"])
	}
	slots := p.Law().Slots(1, rules.DayNumber(rules.DayDate(0).AddDays(int(w.now.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))/(24*time.Hour)))), 1)
	if len(slots) == 0 {
		t.Fatal("no slots")
	}
	free := ask("GET", "/api/v1/slots?site="+site+"&class=visitor&day=2025-09-02", nil)
	list, _ := free["slots"].([]any)
	if len(list) == 0 {
		t.Fatalf("no slots in %v", free)
	}
	slot := list[0].(map[string]any)["id"]
	person := map[string]any{"name": "Gul", "document": map[string]any{"kind": "cnic", "country": "PAK", "number": "4210112345671"}, "age": 30}
	// Nobody here knows a recommendation of 2025, and the law of the market has nothing
	// against it: a person decides.
	booked := ask("POST", "/api/v1/bookings", map[string]any{"slot": slot, "people": []any{person}})
	outcome, by, reasons := parts(t, booked)
	if outcome != "REFER" || by[marketLaw] != "ALLOW" || by[polioLaw] != "REFER" || !gives(reasons, polioLaw, "REFER") {
		t.Errorf("booked: %s of %v because of %v", outcome, by, reasons)
	}
	request, _ := booked["request"].(map[string]any)
	if request == nil || request["status"] != "open" {
		t.Fatalf("no request stands: %v", booked)
	}
	admitted := ask("POST", "/api/v1/requests/"+request["request"].(string)+"/decision", map[string]any{"admit": true, "why": "paper"})
	booking, _ := admitted["booking"].(map[string]any)
	if booking == nil {
		t.Fatalf("nobody was let in: %v", admitted)
	}
	member := booking["members"].([]any)[0].(map[string]any)
	scan := func(temperature int) map[string]any {
		return ask("POST", "/api/v1/gate/scans", map[string]any{"site": site, "gate": 1, "direction": "in", "pass": member["pass"],
			"document": map[string]any{"kind": "cnic", "country": "PAK", "number": "4210112345671"}, "screening": map[string]any{"temp_tenths": temperature, "symptoms": false}})
	}
	outcome, by, reasons = parts(t, scan(366))
	if outcome != "REFER" || by[marketLaw] != "ALLOW" || by[polioLaw] != "REFER" || !gives(reasons, polioLaw, "REFER") {
		t.Errorf("at the gate: %s of %v because of %v", outcome, by, reasons)
	}
	// The pass names the agreement under which it was sold.
	claims, fault := p.Trust().Verify(member["pass"].(string), w.now)
	if e, ok := p.Law().EditionOf(marketLaw, w.now); !ok || fault != "" || claims.Edition != e.Hash.Prefix() {
		t.Errorf("the pass is of another edition than the market's: %v %v", claims, fault)
	}
	// A vendor without a card is refused by the law of the market, with its clause.
	free = ask("GET", "/api/v1/slots?site="+site+"&class=vendor&day=2025-09-09", nil)
	if list, _ = free["slots"].([]any); len(list) == 0 {
		t.Fatal("no slots for vendors")
	}
	person["document"] = map[string]any{"kind": "cnic", "country": "PAK", "number": "4210112345672"}
	outcome, by, reasons = parts(t, ask("POST", "/api/v1/bookings", map[string]any{"slot": list[0].(map[string]any)["id"], "people": []any{person}}))
	if outcome != "REFUSE" || by[marketLaw] != "REFUSE" || by[polioLaw] != "REFER" || !gives(reasons, marketLaw, "REFUSE") {
		t.Errorf("without a card: %s of %v because of %v", outcome, by, reasons)
	}
	// The page of the law lists both, and anchors of one are apart from those of the other.
	got := httptest.NewRecorder()
	p.Handler().ServeHTTP(got, httptest.NewRequest("GET", "/en/law", nil))
	for _, want := range []string{"Joint border sustenance markets", "Polio vaccination of travellers", `href="#` + polioLaw + `"`, `id="` + polioLaw + `.`, `id="` + marketLaw + `.`} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("the page of the law has no %s", want)
		}
	}
}

// TestTwoAgreementsRefused holds back what a post cannot run under.
func TestTwoAgreementsRefused(t *testing.T) {
	w := makeTwo(t)
	third, err := post.MakeKeys(filepath.Join(w.dir, "third"), agreement.B, post.Origin(marketLaw, agreement.B), w.now)
	if err != nil {
		t.Fatal(err)
	}
	market := w.sign("market", marketLaw, w.own())
	polio := w.sign("polio", polioLaw, w.own())
	for name, x := range map[string]struct {
		folders []string
		code    string
	}{
		"the letters the other way round": {[]string{market, w.sign("turned", polioLaw, map[agreement.Side]*post.Keys{agreement.A: w.keys(agreement.B), agreement.B: w.keys(agreement.A)})}, "agreement.side"},
		"a third authority":               {[]string{market, w.sign("third-polio", polioLaw, map[agreement.Side]*post.Keys{agreement.A: w.keys(agreement.A), agreement.B: third})}, "agreement.other"},
		"keys of nobody here":             {[]string{market, w.sign("strange", polioLaw, map[agreement.Side]*post.Keys{agreement.A: third, agreement.B: w.keys(agreement.B)})}, "agreement.keys"},
		"not signed":                      {[]string{market, filepath.Join(w.dir, "unsigned-"+polioLaw)}, "agreement.signature"},
		"without the base agreement":      {[]string{polio, w.sign("eac", "eac-str", w.own())}, "agreement.base"},
	} {
		_, err := post.ReadEditions(x.folders, w.keys(agreement.A))
		if problem.CodeOf(err) != x.code {
			t.Errorf("%s: got %q (%v), want %s", name, problem.CodeOf(err), err, x.code)
		}
	}
	for _, folders := range [][]string{{market, polio}, {polio, market}, {market}, {polio}} {
		if _, err := post.ReadEditions(folders, w.keys(agreement.A)); err != nil {
			t.Errorf("%v: %v", folders, err)
		}
	}
}
