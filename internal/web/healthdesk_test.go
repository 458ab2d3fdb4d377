// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

// healthDesk is a health officer at work in a browser.
type healthDesk struct {
	*browser
	n int
}

func (h *healthDesk) act(path string, f ...string) *browser {
	v := url.Values{}
	for i := 0; i+1 < len(f); i += 2 {
		v.Set(f[i], f[i+1])
	}
	h.n++
	v.Set("idem", fmt.Sprintf("health-act-%012d", h.n))
	return h.postForm(path, v)
}

// TestHealthDesk sends somebody from the gate to the health desk for what they told, tests
// them there, isolates them, hands their goods to another, releases them, and erases the
// file; and finds nothing of it in facts or log.
func TestHealthDesk(t *testing.T) {
	p := openPost(t)
	boss, g := p.signedIn("boss", people.Supervisor), p.signedIn("gate", people.GateOfficer)
	h := &healthDesk{browser: p.signedIn("nurse", people.Health)}
	boss.get("/en/levels/set?site=1&level=guarded").submit("/en/levels/set", "when", "now")
	tr, other := p.book(10, cnicA, "Bibi Gul", 0), p.book(10, cnicB, "Zar Gul", 0)
	g.get("/en/gate").scan(tr.text, "in")
	form := g.fields("/en/gate", `class="ask"`)
	for k, v := range map[string]string{"temperature": "36.6", "symptoms": "yes", "seen": "yes", "q.screening.contact": "no"} {
		form.Set(k, v)
	}
	g.postForm("/en/gate", form).wants("X-SYMPTOMS")

	h.get("/en/health").wants("Sent by the gate", "Nobody is at the desk")
	h.act("/en/health", "site", "1", "who", "12").wants("This is neither a pass nor the number of a document")
	h.act("/en/health", "site", "1", "pass", tr.b.Members[0].Pass.String())
	path := h.path
	h.get(path).wants("Ask and measure", "contact with somebody who is ill").lacks("Isolation")
	h.act(path, "act", "ask", "q.screening.temperature", "36.6").wants("Answer every question")
	h.act(path, "act", "ask", "q.screening.temperature", "39.1", "q.screening.symptoms", "yes", "q.screening.contact", "no")
	h.get(path).wants("Not allowed", "X-TEMPERATURE")
	h.act(path, "act", "ask", "q.screening.temperature", "36.6", "q.screening.symptoms", "yes", "q.screening.contact", "no")
	h.get(path).wants("You decide", "X-SYMPTOMS")
	h.act(path, "act", "sample", "test", "covid/antigen", "product", "CANARY-KIT")
	h.get(path).wants("Waits for a result", "CANARY-KIT")
	g.get("/en/gate").scan(tr.text, "in").wants("The health desk has not finished with this person")
	h.act(path, "act", "result", "index", "0", "result", "positive")
	h.get(path).wants("Does not come in", "The test at the health desk is positive", "Order isolation: 14 days")
	h.act(path, "act", "isolate", "clause", "X-ISOLATE-COVID")
	h.get(path).wants("Kept apart", "From 2 September 2025 (11 Shahrivar 1404) until 16 September 2025")
	h.get(path+"/order").wants("Isolation order", "X-ISOLATE-COVID", "nurse")
	g.get("/en/gate").scan(tr.text, "in").wants("An isolation order is in force for this person", "X-ISOLATE-COVID")
	h.act(path, "act", "hand", "crew", tr.text).wants("Scan the pass of somebody else")
	h.act(path, "act", "hand", "crew", other.text)
	h.get(path).wants("Goes on with the holder of pass", other.b.Members[0].Pass.String())
	h.act(path, "act", "hand", "crew", "CANARY Driver")
	h.get(path).wants("Goes on with CANARY Driver")
	h.act(path, "act", "release", "how", "date").wants("The days of isolation are not over")
	for _, l := range []string{"fa", "ur"} {
		for _, x := range []string{"/health", strings.TrimPrefix(path, "/en"), strings.TrimPrefix(path, "/en") + "/order"} {
			if h.get("/" + l + x); h.code != 200 || strings.Contains(h.body, "health.") {
				t.Errorf("%s%s: %d\n%s", l, x, h.code, h.text())
			}
		}
	}
	h.act(path, "act", "release", "how", "officer/care")
	h.get(path).wants("Closed", "A hospital or health authority has taken over", "The case file is erased on 16 September 2025")
	g.get("/en/gate").scan(tr.text, "in").lacks("An isolation order is in force")
	h.act(path, "act", "erase")
	h.get(path).wants("The case file is erased.").lacks("CANARY")

	// A document opens a case too, and names its holder's number on the paper of that case alone.
	h.act("/en/health", "site", "1", "who", "54400-7654321-9", "kind", "cnic", "country", "PAK")
	if !strings.HasPrefix(h.path, "/en/health/") || !strings.Contains(h.text(), "Ask and measure") {
		t.Errorf("%s: %s", h.path, h.text())
	}

	// Somebody else is well, and is asked nothing again at the gate.
	h.act("/en/health", "site", "1", "who", other.text)
	path = h.path
	h.act(path, "act", "ask", "q.screening.temperature", "36.6", "q.screening.symptoms", "no", "q.screening.contact", "no")
	h.act(path, "act", "sample", "test", "covid/antigen")
	h.act(path, "act", "result", "index", "0", "result", "negative")
	h.get(path).wants("May go on")
	h.act(path, "act", "close")
	h.get(path).wants("The gate takes this finding until")
	g.get("/en/gate").scan(other.text, "in").lacks("contact with somebody who is ill").wants("The health desk has seen this person")

	if h.get(path + "x"); h.code != 303 && h.code != 200 {
		t.Errorf("a link that is none: %d", h.code)
	}
	if g.get("/en/health"); g.code != 403 {
		t.Errorf("a gate officer opens the health desk: %d", g.code)
	}
	codec := service.NewCodec()
	for _, x := range p.mem.Facts() {
		b, err := codec.Marshal(x.Fact)
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"CANARY", "antigen", "positive\x00"} {
			if strings.Contains(string(b), no) {
				t.Errorf("%s holds %q", x.Fact.FactKind(), no)
			}
		}
	}
	for _, no := range []string{"CANARY", "antigen", "39.1"} {
		if strings.Contains(p.log.String(), no) {
			t.Errorf("the log holds %q", no)
		}
	}
}
