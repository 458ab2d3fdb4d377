// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"testing"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/reason"
)

// TestCodes gives each code that the law declares, by a question that asks for it.
func TestCodes(t *testing.T) {
	_, l := market(t)
	goods := func(code string, value int64, more Facts, lots ...Lot) Verdict {
		q := goodsQuery(code, value, lots...)
		for k, v := range more {
			q.Facts[k] = v
		}
		return l.Check(q)
	}
	point := func(p Point, when time.Time, site string, f Facts) Verdict {
		return l.Check(Query{Point: p, At: when, Site: site, Side: "A", Facts: f})
	}
	clause := func(text string) Verdict { return ask(tinyLaw(t, "instrument: i\nclauses:\n"+text), nil) }
	decides := func(o reason.Outcome) Verdict {
		return ask(tinyLaw(t, "instrument: i\nclauses:\n  - {id: c, kind: rule, TEXT, require: p, else: "+o.String()+"}\n"), Facts{"p": false})
	}

	early, faults := tiny(t, "instrument: i\nclauses:\n  - {id: c, kind: opened, TEXT, else: CLOSED}\n")
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	early.Sites = slices.Clone(early.Sites)
	early.Sites[0].From = agreement.Day(calendar.MustDate("2025-06-02"))
	conflict := tinyLaw(t, `instrument: i
clauses:
  - {id: one, kind: rate, TEXT, rate: five, amount: duty}
---
instrument: j
clauses:
  - {id: two, kind: rate, TEXT, rate: six, amount: duty}
`)
	exception := tinyLaw(t, `instrument: i
clauses:
  - {id: base, kind: rule, TEXT, require: p, else: REFUSE}
  - {id: except, kind: rule, TEXT, when: q, overrides: [base]}
`)

	question := "instrument: i\nquestions:\n  - {id: k, asks: " + say + ", reading: " + say + ", by: nobody, words: x}\nclauses:\n"
	defines := func(second string) Verdict {
		return wideLaw(t, "  - {id: a, kind: define, SILENT, when: p, attribute: d.flag, value: \"true\"}\n"+second+"  - {id: b, kind: define, SILENT, when: q, attribute: d.flag, value: \"false\"}\n  - {id: c, kind: rule, TEXT, require: d.flag, else: REFUSE}\n").Check(noon("2025-06-02").with("p", true, "q", true))
	}

	for code, v := range map[reason.Code]Verdict{
		CodeDate:     wideLaw(t, "  - {id: c, kind: rule, SILENT, from: 2025-06}\n").Check(noon("2025-06-02")),
		CodeQuestion: wideLaw(t, question+"  - {id: c, kind: rule, TEXT, then: REFUSE, turns: [k]}\n").Check(noon("2025-06-02")),
		CodeGoodOpen: wideLaw(t, "  - {id: c, kind: listed, TEXT, list: produce, else: REFUSE}\n", "lists/produce.yaml", "id: produce\ntitle: "+say+"\nsource: x\nopen: "+say+"\nlines: produce.csv\n",
			"lists/produce.csv", "code,en,fa,ur\n0702,x,x,x\n").Check(noon("2025-06-02").with("good.code", "0703")),
		CodeMatter: wideLaw(t, "  - {id: c, kind: rule, SILENT, matter: m}\n---\ninstrument: j\nclauses:\n  - {id: d, kind: rule, TEXT, then: REFUSE, matter: m}\n").Check(noon("2025-06-02")),
		CodeTable: wideLaw(t, "  - {id: c, kind: table, TEXT, table: k}\n", "tables/k.yaml", "id: k\ntitle: "+say+"\nsource: x\ninputs: [p]\noutputs: [outcome]\n",
			"tables/k.csv", "p,outcome\ntrue,ALLOW\n").Check(noon("2025-06-02").with("p", false)),
		CodeUnshared: wideLaw(t, "  - {id: c, kind: share, TEXT, to: [ministry], event: [result.positive], fields: [name], else: REFUSE}\n").Check(
			noon("2025-06-02").with("data.event", "result.positive", "data.recipient", "press", "data.fields", []string{"name"})),
		CodeDefineTwice:    defines(""),
		CodeDefineConflict: defines("---\ninstrument: j\nclauses:\n"),
		CodeEdition:        point(Gate, at("2026-07-01T00:00:00+05:00"), "mand-pishin", nil),
		CodeSite:           point(Gate, tuesday(), "elsewhere", nil),
		CodeSilent:         point(Signing, tuesday(), "mand-pishin", nil),
		CodeCondition:      clause("  - {id: c, kind: condition, TEXT}\n"),
		CodeProof:          proofOf(t),
		CodeTest:           testedOf(t),
		CodeBreach:         decides(reason.Breach),
		CodeDivert:         decides(reason.Divert),
		CodeHold:           decides(reason.Hold),
		CodeRefer:          decides(reason.Refer),
		CodeConflict:       decides(reason.Conflict),
		CodeRefuse:         decides(reason.Refuse),
		CodeClosed:         decides(reason.Closed),
		CodeWanted:         point(Gate, tuesday(), "mand-pishin", Facts{"class": "visitor", "direction": "in"}),
		CodeUnknown:        clause("  - {id: c, kind: rule, TEXT, require: p, else: REFUSE}\n"),
		CodeParameter:      clause("  - {id: c, kind: rule, TEXT, require: param.open > 1, else: REFUSE}\n"),
		CodeFailed:         clause("  - {id: c, kind: rule, TEXT, require: \"1 / (param.five - 500) > 1\", else: REFUSE}\n"),
		CodeException:      ask(exception, Facts{"p": false}),
		CodeHours:          point(Gate, tuesday(), "chedgi-kouhak", gateFacts()),
		CodeNoHours:        clause("  - {id: c, kind: schedule, TEXT, else: CLOSED}\n"),
		CodeEarly:          ask(mustCompile(t, early), nil),
		CodeNoDate:         point(Booking, at("2023-12-31T10:00:00+05:00"), "gabd-reemdan", nil),
		CodeCapDivert:      goods("07020000", 5001, nil),
		CodeCapRefuse:      goods("04032000", 1000, nil, Lot{"I", 5000, regimeConcession, "mand-pishin"}, Lot{"II", 5000, regimeConcession, "mand-pishin"}),
		CodeCapOpen:        goods("04032000", 1000, nil, Lot{"I", 5000, regimeConcession, "mand-pishin"}, Lot{"II", 5000, regimeStatutory, "mand-pishin"}),
		CodeUnlisted:       goods("85171300", 1000, nil),
		CodeAbsent:         goods("07020000", 1000, Facts{"tax.asked": true, "trader.premises": true}),
		CodeTax:            point(Exit, tuesday(), "mand-pishin", Facts{"gd.value": int64(100), "fair.value": int64(120)}),
		CodeFields:         point(Receipt, tuesday(), "mand-pishin", Facts{"receipt.named": true, "receipt.number": "cnic"}),
		CodeRule:           healthLaw(t, askCertificate).Check(noon("2025-06-02").with("cert", decoded(t, `{"v":[{}]}`))),
		CodeRuleOpen:       healthLaw(t, askCertificate).Check(noon("2025-06-02").with("cert", decoded(t, `{"v":[{}]}`))),
		CodeNoRule:         healthLaw(t, askCertificate).Check(noon("2025-06-02").with("cert", decoded(t, `{}`))),
		CodeDispute:        ask(conflict, Facts{"good.value": int64(1000)}),
		CodeOwed:           ask(mustCompile(t, owes(t, "a", "five", ""), owes(t, "b", "six", "")), Facts{"good.value": int64(1000)}),
	} {
		if !slices.ContainsFunc(v.Reasons, func(r reason.Reason) bool { return r.Code == code }) {
			t.Errorf("%s is not given: %s (%s)", code, v.Outcome, why(v))
		}
	}
	if got, want := len(Reasons()), 42; got != want {
		t.Errorf("%d codes are declared, %d are asked for here", got, want)
	}
}

// TestHoursSayWhenItOpens tells who comes on the wrong day when to come.
func TestHoursSayWhenItOpens(t *testing.T) {
	_, l := market(t)
	v := l.Check(Query{Point: Gate, At: at("2025-09-03T10:00:00+05:00"), Site: "mand-pishin", Side: "A", Facts: gateFacts()})
	for _, r := range v.Reasons {
		if r.Code == CodeHours && r.Params["opens"] != "2025-09-06 08:00" {
			t.Errorf("%s: opens %q", r.Clause, r.Params["opens"])
		}
	}
	if _, ok := l.Edition(agreement.Edition{}.From); ok {
		t.Error("an edition is in force in the year 1")
	}
}
