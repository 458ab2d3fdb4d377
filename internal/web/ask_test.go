// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
)

// fields writes a question's facts, events and lots as the page's inputs take them, in the
// plain form in which a person would.
func fields(t *testing.T, law *rules.Law, q rules.Query) url.Values {
	t.Helper()
	e, ok := law.Edition(q.At)
	if !ok {
		t.Fatal("no edition")
	}
	zone := law.Zone(q.Site)
	f := url.Values{}
	put := func(id string, a agreement.Attribute, x any) {
		switch x := x.(type) {
		case string:
			f.Set(id, x)
			if len(a.Values) == 0 {
				f.Del(id)
				f.Set(id+".other", x) // also where it stands among the choices
				f.Set(id, x)
			}
		case bool:
			f.Set(id, map[bool]string{true: "yes", false: "no"}[x])
		case int64:
			digits := agreement.Digits(a.Unit)
			if a.Unit == "tenths-celsius" {
				digits = 1
			}
			f.Set(id, lang.FormatDecimal(lang.FA, x, digits)) // as a Persian keyboard writes it
		case calendar.Date:
			f.Set(id, x.String())
		case time.Time:
			f.Set(id, x.In(zone).Format("2006-01-02T15:04"))
		case []string:
			f[id] = x
			if len(x) == 0 {
				f.Set(id+".none", "1")
			}
		}
	}
	for name, x := range q.Facts {
		put("f."+name, e.Attributes[name], x)
	}
	for kind, list := range q.Events {
		group := "e." + kind
		f.Set(group, "none")
		if len(list) > 0 {
			f.Set(group, "some")
		}
		f.Set(group+".n", itoa(len(list)))
		for i, ev := range list {
			id := group + "." + itoa(i+1)
			if !ev.At.IsZero() {
				f.Set(id, calendar.On(ev.At, zone).String())
				f.Set(id+".time", ev.At.In(zone).Format("15:04"))
			}
			f.Set(id+".site", ev.Site)
			for name, x := range ev.Facts {
				put(id+"."+name, e.Attributes[name], x)
			}
		}
	}
	f.Set("lot.n", itoa(len(q.Lots)))
	for i, l := range q.Lots {
		id := "lot." + itoa(i+1)
		put(id, agreement.Attribute{Unit: e.Currency}, l.Value)
		f.Set(id+".category", l.Category)
		f.Set(id+".regime", l.Regime)
	}
	return f
}

func itoa(n int) string { return lang.FormatDecimal(lang.EN, int64(n), 0) }

// TestAskEveryScenario fills the page in with every scenario of every package, as a person
// would: the outcome, the clauses and the missing inputs on the page are the verdict's, in
// each language, and no choice that the scenario makes is lacking.
func TestAskEveryScenario(t *testing.T) {
	asked := 0
	for _, name := range worked(t) {
		e, law := lawOf(t, name)
		p := newTestPost(t)
		p.law = law
		for n, r := range law.Test(e) {
			tag := lang.Tags[n%len(lang.Tags)]
			for i, q := range r.Queries {
				v := r.Verdicts[i]
				if v.Edition == "" || len(q.Lots) > maxRows || !q.Known.IsZero() || !slices.Contains(law.Points(q.At), q.Point) {
					continue
				}
				if _, ok := e.Site(q.Site); !ok && len(e.Sites) > 0 {
					continue // the page offers the sites that there are
				}
				local := q.At.In(law.Zone(q.Site))
				side := q.Side
				if !agreement.Side(side).Valid() {
					continue
				}
				if local.Second() != 0 {
					continue
				}
				p.now = p.now.Add(time.Second)
				where := url.Values{"site": {q.Site}, "point": {string(q.Point)}, "side": {side}, "day": {local.Format("2006-01-02")}, "time": {local.Format("15:04")}}
				first := p.get("/"+string(tag)+"/ask?"+where.Encode(), "")
				if first.StatusCode != 200 || !strings.Contains(first.body, `<form id="ask"`) {
					t.Fatalf("%s %s: %d %s", name, r.Scenario.ID, first.StatusCode, text(first.body))
				}
				f := hidden(first.body, "ask")
				for k, x := range fields(t, law, q) {
					f[k] = x
				}
				got := p.post("/"+string(tag)+"/ask", "", f)
				asked++
				said := html.UnescapeString(text(got.body))
				if got.StatusCode != 200 || !strings.Contains(got.body, `class="answer `+v.Outcome.String()+`"`) {
					t.Errorf("%s %s, ask %d (%s): %d, want %s: %.700s", name, r.Scenario.ID, i+1, tag, got.StatusCode, v.Outcome, said)
					continue
				}
				for _, re := range v.Reasons {
					if c := e.Clause(re.Clause); c != nil && (!strings.Contains(got.body, "#"+c.Anchor+`"`) || !strings.Contains(said, strings.Join(strings.Fields(c.Text.In(tag)), " "))) {
						t.Errorf("%s %s (%s): clause %s is not quoted with a link", name, r.Scenario.ID, tag, c.ID)
					}
				}
				for _, m := range v.Missing {
					if !strings.Contains(said, inputName(tag, e, m)) {
						t.Errorf("%s %s (%s): %s is missing, and it is not said", name, r.Scenario.ID, tag, m)
					}
				}
				for _, m := range v.Amounts {
					for _, w := range m.Steps {
						if line := strings.Join(strings.Fields(p.server.working(tag, e, w)), " "); !strings.Contains(said, line) {
							t.Errorf("%s %s (%s): %s is worked out, and it is not said: %q", name, r.Scenario.ID, tag, m.Name, line)
						}
					}
				}
				if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Location") != "" || strings.Contains(got.body, "<script") {
					t.Errorf("%s %s: %v", name, r.Scenario.ID, got.Header)
				}
				checkPage(t, name+" "+r.Scenario.ID+" in "+string(tag), tag, got)
			}
		}
	}
	if asked < 400 {
		t.Errorf("only %d were asked", asked)
	}
}

// TestAskKeepsNothing sees that what somebody supposes is in no log, no address, no
// fact and no link of the page.
func TestAskKeepsNothing(t *testing.T) {
	p := newTestPost(t)
	_, p.law = lawOf(t, "who-polio")
	facts := len(p.mem.Facts())
	first := p.get("/fa/ask?point=gate&day=2015-03-01&time=10:00", "")
	f := hidden(first.body, "ask")
	f.Set("f.departure.state.other", "Zaitoonistan")
	f.Set("f.certificate.annex", "no")
	f.Set("e.dose", "some")
	f.Set("e.dose.1", "2015-02-11")
	f.Set("e.dose.1.vaccine", "OPV")
	r := p.post("/fa/ask", "", f)
	if r.StatusCode != 200 || !strings.Contains(r.body, `class="answer `) {
		t.Fatalf("%d %s", r.StatusCode, text(r.body))
	}
	for _, secret := range []string{"Zaitoonistan", "2015-02-11", "annex", "OPV"} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
		for _, m := range regexp.MustCompile(`(?:href|action|src|formaction)="([^"]*)"`).FindAllStringSubmatch(r.body, -1) {
			if strings.Contains(m[1], secret) && !strings.HasPrefix(m[1], "#f.") {
				t.Errorf("the link %s has %q", m[1], secret)
			}
		}
	}
	// What the verdict says of health is a name and no value.
	head := r.body[:strings.Index(r.body, `<form id="ask"`)]
	for _, m := range regexp.MustCompile(`<section class="card needs">(?s:.*?)</section>`).FindAllString(head, -1) {
		if strings.Contains(m, "OPV") {
			t.Errorf("a health value: %s", m)
		}
	}
	if n := len(p.mem.Facts()); n != facts {
		t.Errorf("%d facts, there were %d", n, facts)
	}
	if !strings.Contains(p.log.String(), `route="POST /ask"`) {
		t.Errorf("the log does not say that the page was shown: %s", lastLines(p.log.String()))
	}
	if got := text(p.get("/en/ask", "").body); !strings.Contains(got, "Nothing that you fill in is kept") {
		t.Errorf("the page does not say so: %s", got)
	}
	// It can be filled in and sent from our own page alone.
	evil := httptest.NewRequest("POST", "/en/ask", strings.NewReader(f.Encode()))
	evil.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	evil.Header.Set("Sec-Fetch-Site", "cross-site")
	if r := p.send(evil); r.StatusCode != 403 {
		t.Errorf("from another site: %d", r.StatusCode)
	}
}

// TestAskErrors shows what is wrong in a form by its field, and keeps what was entered.
func TestAskErrors(t *testing.T) {
	p := newTestPost(t)
	for _, c := range []struct{ law, where, field, value, error string }{
		{"eac-truck-drivers", "point=gate&day=2020-06-02", "f.crew.size", "many", "crew on the vehicle: give a plain number"},
		{"who-polio", "point=gate&day=2015-03-01", "f.visit.from", "soon", "give a day"},
		{"who-polio", "point=gate&day=2015-03-01", "f.state.listed", "perhaps", "choose one of"},
		{"who-polio", "point=gate&day=2015-03-01", "f.travel.urgent", "perhaps", "choose one of"},
		{"who-polio", "point=gate&day=2015-03-01", "e.dose.1", "soon", "give a day"},
		{"who-polio", "point=gate&day=2015-03-01", "e.dose.1.vaccine", "OPV", "say on which day"},
		{"who-polio", "point=gate&day=2015-03-01", "e.dose", "some", "say on which day"},
		{"pk-ir-border-markets", "point=goods&day=2025-09-02", "f.good.code", "unicorn", "choose a good"},
		{"pk-ir-border-markets", "point=goods&day=2025-09-02", "f.good.value", "1,2.5", "give a plain number"},
		{"pk-ir-border-markets", "point=goods&day=2025-09-02", "lot.1", "-3", "give a plain number"},
		{"pk-ir-border-markets", "point=goods&day=2025-09-02", "lot.1.category", "I", "give a plain number"},
		{"eac-truck-drivers", "point=booking&day=2020-06-02", "f.depart.at", "2020-06-01", "give day and time"},
		{"eac-truck-drivers", "point=gate&day=2020-06-02", "f.cargo.class", "gold", "choose one of"},
	} {
		_, p.law = lawOf(t, c.law)
		f := hidden(p.get("/en/ask?"+c.where, "").body, "ask")
		f.Set(c.field, c.value)
		r := p.post("/en/ask", "", f)
		if r.StatusCode != 422 || !strings.Contains(text(r.body), c.error) || !strings.Contains(r.body, `class="summary"`) || strings.Contains(r.body, `class="answer`) {
			t.Errorf("%s %s: %d %.500s", c.field, c.value, r.StatusCode, text(r.body))
		}
		link := regexp.MustCompile(`<li><a href="#([^"]+)">`).FindStringSubmatch(r.body)
		if link == nil || !strings.Contains(r.body, `id="`+link[1]+`"`) {
			t.Errorf("%s: the error leads nowhere: %v", c.field, link)
		}
		if p.get("/en/ask?"+c.where, ""); len(c.value) > 4 && !strings.Contains(c.value, "perhaps") && !strings.Contains(c.value, "gold") && !strings.Contains(r.body, c.value) {
			t.Errorf("%s: what was entered is gone", c.field)
		}
	}
	_, p.law = lawOf(t, "pk-ir-border-markets")
	for _, query := range []string{"day=soon", "day=2025-02-30", "day=0001-01-01", "time=25:00&day=2025-09-02", "site=nowhere&day=2025-09-02", "point=nothing&day=2025-09-02", "point=signing&day=2025-09-02"} {
		if r := p.get("/en/ask?"+query, ""); r.StatusCode != 422 || !strings.Contains(r.body, `class="summary"`) {
			t.Errorf("%s: %d %.300s", query, r.StatusCode, text(r.body))
		}
	}
	if r := p.post("/en/ask", "", url.Values{"point": {"nothing"}}); r.StatusCode != 422 {
		t.Errorf("no point: %d", r.StatusCode)
	}
}

// TestAskInOtherWords names a good, adds rows, and changes the language without losing anything.
func TestAskInOtherWords(t *testing.T) {
	p := newTestPost(t)
	f := hidden(p.get("/ur/ask?point=goods&day=2025-09-02&time=10:00&site=mand-pishin", "").body, "ask")
	line, _ := p.law.Editions()[0].Lists["part8"].Find("07020000")
	f.Set("f.good.code", line.Name.In(lang.UR))
	f.Set("f.good.value", "1,000.50")
	f.Set("lot.1", "20")
	f.Set("lot.1.category", "I")
	f.Set("more", "lot")
	r := p.post("/ur/ask", "", f)
	if r.StatusCode != 200 || strings.Contains(r.body, `class="answer`) || !strings.Contains(r.body, `name="lot.2"`) || !strings.Contains(r.body, `value="1,000.50"`) {
		t.Fatalf("%d %.500s", r.StatusCode, text(r.body))
	}
	f.Del("more")
	f.Set("lot.n", "2")
	f.Set("lot.2", "30")
	r = p.post("/ur/ask", "", f)
	if r.StatusCode != 200 || !strings.Contains(r.body, `class="answer`) {
		t.Fatalf("%d %.500s", r.StatusCode, text(r.body))
	}
	f = hidden(r.body, "ask")
	if f.Get("answered") != "1" || f.Get("lot.n") != "2" {
		t.Errorf("%v", f)
	}
	f.Set("f.good.code", "0702.0000")
	f.Set("f.good.value", "1000.50")
	f.Set("lot.1", "20")
	f.Set("switch", "1")
	if r := p.post("/en/ask", "", f); !strings.Contains(r.body, `class="answer`) || !strings.Contains(r.body, `value="1000.50"`) {
		t.Errorf("in another language: %.500s", text(r.body))
	}
	f.Del("answered")
	if r := p.post("/en/ask", "", f); strings.Contains(r.body, `class="answer`) || !strings.Contains(r.body, `value="1000.50"`) {
		t.Errorf("in another language, not asked yet: %.500s", text(r.body))
	}
	if got := plainNumber("۱٬۲۵۰٫۵", "PKR"); got != "1250.5" {
		t.Error(got)
	}
	for in, want := range map[string]string{"36.6": "366", "37": "370", "36.65": "", "۳۷٫۵": "375"} {
		if got := plainNumber(in, "tenths-celsius"); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

var linkToLaw = regexp.MustCompile(`href="/([a-z]{2})(/law[^"#]*)#([^"]+)"`)

// walk follows the links of a page to the text of the agreement: each leads to a page that
// is there and to an anchor on it.
func (p *testPost) walk(where, body string, seen map[string]string) int {
	p.Helper()
	links := linkToLaw.FindAllStringSubmatch(body, -1)
	for _, m := range links {
		path := "/" + m[1] + html.UnescapeString(m[2])
		if _, ok := seen[path]; !ok {
			r := p.get(path, "")
			seen[path] = r.body
			if r.StatusCode != 200 {
				p.Errorf("%s: %s is %d", where, path, r.StatusCode)
			}
		}
		if strings.Count(seen[path], ` id="`+m[3]+`"`) != 1 {
			p.Errorf("%s: %s#%s leads nowhere, or to two places", where, path, m[3])
		}
	}
	return len(links)
}

// TestLinksToTheLawLand walks every link from answers to the law: of each package in each
// language, of the pages of travellers and officers, and of an answer by an edition that is
// not in force any more.
func TestLinksToTheLawLand(t *testing.T) {
	for _, name := range worked(t) {
		e, law := lawOf(t, name)
		p := newTestPost(t)
		p.law = law
		for _, tag := range lang.Tags {
			seen := map[string]string{}
			req := &request{Request: httptest.NewRequest("GET", "/", nil), Lang: tag, Now: p.now}
			walked := 0
			for _, r := range law.Test(e) {
				for i, v := range r.Verdicts {
					var b strings.Builder
					for _, re := range p.server.verdict(req, v, "").Reasons {
						if re.Clause != nil {
							b.WriteString(`href="/` + string(tag) + re.Law + `#` + re.Clause.Anchor + `"`)
						}
					}
					for _, l := range p.server.reasonLines(tag, v) {
						if l.Clause != "" {
							b.WriteString(`href="/` + string(tag) + l.Law + `#` + l.Anchor + `"`)
							if l.Words.In(tag) == "" {
								t.Errorf("%s %s %d: clause %s without its text", name, r.Scenario.ID, i, l.Clause)
							}
						}
					}
					walked += p.walk(name+" "+r.Scenario.ID, b.String(), seen)
				}
			}
			if walked < 20 {
				t.Errorf("%s: only %d links", name, walked)
			}
			page := p.get("/"+string(tag)+"/law", "")
			checkPage(t, name+" law in "+string(tag), tag, page)
			for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
				if strings.Count(page.body, ` id="`+m[1]+`"`) != 1 {
					t.Errorf("%s: #%s leads nowhere, or to two places", name, m[1])
				}
			}
			for _, c := range e.Clauses {
				if !strings.Contains(page.body, ` id="`+c.Anchor+`"`) {
					t.Errorf("%s: clause %s has no anchor", name, c.ID)
				}
			}
			for id, x := range e.Parameters {
				if strings.Count(page.body, ` id="parameter-`+id+`"`) != 1 {
					t.Errorf("%s: %s is not there", name, id)
				}
				for _, v := range x.Values {
					if v.Source != "" && !strings.Contains(page.body, html.EscapeString(v.Source)) {
						t.Errorf("%s: %s without its source %q", name, id, v.Source)
					}
				}
			}
			for id := range e.ListInfo {
				if strings.Count(page.body, ` id="list-`+id+`"`) != 1 {
					t.Errorf("%s: list %s is not there", name, id)
				}
			}
			for id := range e.Tables {
				if strings.Count(page.body, ` id="table-`+id+`"`) != 1 {
					t.Errorf("%s: table %s is not there", name, id)
				}
			}
			for id, q := range e.Questions {
				if strings.Count(page.body, ` id="question-`+id+`"`) != 1 || !strings.Contains(html.UnescapeString(page.body), q.Reading.In(tag)) {
					t.Errorf("%s: question %s is not there with its reading", name, id)
				}
			}
		}
	}

	p := newTestPost(t)
	walked, seen := 0, map[string]string{}
	for where, ask := range travellersPages(p) {
		if where != "law" {
			walked += p.walk(where, ask("en").body, seen)
		}
	}
	if walked < 20 {
		t.Errorf("only %d links on travellers' pages", walked)
	}

	// An edition of yesterday is still the one by which yesterday is answered.
	e, _ := lawOf(t, "pk-ir-border-markets")
	next := *e
	next.Number, next.From, next.Hash = e.Number+1, marketDay.Add(24*time.Hour), agreement.Hash{7}
	next.Clauses = slices.DeleteFunc(slices.Clone(e.Clauses), func(c *agreement.Clause) bool { return c.Kind == agreement.KindNote })
	var err error
	p.law, err = rules.Compile(e, &next)
	p.must(err)
	p.now = marketDay.Add(48 * time.Hour)
	f := hidden(p.get("/en/ask?point=booking&day=2025-09-02&time=23:00&site=mand-pishin", "").body, "ask")
	r := p.post("/en/ask", "", f)
	if n := p.walk("yesterday", r.body, map[string]string{}); n == 0 || !strings.Contains(r.body, "/law?agreement=pk-ir-border-markets&amp;edition="+itoa(e.Number)+"#") {
		t.Errorf("%d links: %.600s", n, r.body)
	}
	if old := text(p.get("/en/law?edition="+itoa(e.Number), "").body); !strings.Contains(old, "not the one in force today") {
		t.Errorf("the old edition does not say that it is old: %.300s", old)
	}
	if r := p.get("/en/law?edition=99", ""); r.StatusCode != 404 {
		t.Errorf("edition 99: %d", r.StatusCode)
	}
}

// TestNeeds says on an answer what would change it, and nothing where something else than
// the law stands against it.
func TestNeeds(t *testing.T) {
	p := newTestPost(t)
	e := p.law.Editions()[0]
	q := rules.Query{Point: rules.Goods, At: marketDay, Site: "mand-pishin", Side: "A", Facts: rules.Facts{
		"class": "visitor", "good.code": "07020000", "good.quantity": int64(1000), "good.value": int64(6_000), "person.document": "cnic", "values.displayed": true, "purchases.entered": true}}
	v := p.law.Check(q)
	lines := p.server.wouldChange(lang.EN, v, rules.Query{Site: q.Site, Side: "A"})
	if v.Outcome <= reason.Allow || !slices.ContainsFunc(lines, func(l needLine) bool {
		return l.Name == e.Attributes["good.value"].Name.In(lang.EN) && l.Value != "" && l.Outcome < v.Outcome
	}) {
		t.Errorf("%s %v: %+v", v.Outcome, v.Reasons, lines)
	}
	if lines := p.server.wouldChange(lang.EN, v.With(reason.Reason{Code: "market.pass.unknown", Outcome: v.Outcome}), rules.Query{Site: q.Site, Side: "A"}); lines != nil {
		t.Errorf("something else stands against it: %+v", lines)
	}
	// At the gate a temperature is supposed otherwise, and its value is never said.
	g := rules.Query{Point: rules.Gate, At: marketDay, Site: "mand-pishin", Side: "A", Facts: rules.Facts{
		"class": "visitor", "direction": "in", "person.identified": true, "screening.temperature": int64(391), "screening.symptoms": false, "occupancy.inside": int64(3), "party.size": int64(1), "party.adults": int64(1), "party.children": int64(0),
		"person.document": "cnic", "person.country": "PAK", "vendor.card": false, "slot.from": marketDay}}
	v = p.law.Check(g)
	if lines := p.server.wouldChange(lang.EN, v, rules.Query{Site: g.Site, Side: "A"}); lines != nil {
		t.Errorf("without what was measured: %+v", lines)
	}
	lines = p.server.wouldChange(lang.EN, v, rules.Query{Site: g.Site, Side: "A", Facts: rules.Facts{"screening.temperature": int64(391), "screening.symptoms": false}})
	hot := slices.IndexFunc(lines, func(l needLine) bool {
		return l.Name == e.Attributes["screening.temperature"].Name.In(lang.EN)
	})
	if hot < 0 || lines[hot].Value != "" {
		t.Errorf("%s %v: %+v", v.Outcome, v.Reasons, lines)
	}
}
