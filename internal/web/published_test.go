// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"io/fs"
	"strings"
	"testing"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/rules"
)

// lawWithRules is the law of the market with a clause that asks published rules for health
// certificates.
func lawWithRules(t *testing.T) *rules.Law {
	t.Helper()
	sub, err := fs.Sub(agreements.FS, "pk-ir-border-markets")
	if err != nil {
		t.Fatal(err)
	}
	main, err := fs.ReadFile(sub, "agreement.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const three = "{en: Health certificate, fa: گواهی سلامت, ur: صحت کا سرٹیفکیٹ}"
	with, err := agreement.Overlay(sub, map[string][]byte{
		"agreement.yaml":     []byte(strings.Replace(string(main), "\nattributes:\n", "\nattributes:\n  - {id: certificate, type: certificate, sensitive: true, name: "+three+"}\n", 1)),
		"clauses/entry.yaml": []byte("instrument: part8\nclauses:\n  - {id: H1, kind: certificate, at: [booking, gate], text: " + three + ", say: {en: Your certificate is not accepted., fa: گواهی شما پذیرفته نیست., ur: آپ کا سرٹیفکیٹ قبول نہیں۔}, certificate: certificate, rules: entry, else: REFUSE, missing: HOLD, decides: officer}\n"),
		"health/entry.yaml":  []byte("source: made up\nrulesets:\n  - {id: entry, title: " + three + ", rules: [entry.json], values: [values.json], arrival: XA}\n"),
		"health/values.json": []byte(`{"names":["EU/1"]}`),
		"health/entry.json": []byte(`{"Identifier":"VR-XA-0001","Type":"Acceptance","Country":"XA","Version":"1.2.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC","EngineVersion":"1.0.0","CertificateType":"Vaccination",` +
			`"Description":[{"lang":"en","desc":"The vaccine <must> be on the list."},{"lang":"ur","desc":"ویکسین فہرست میں ہونی چاہیے۔"}],"ValidFrom":"2021-06-01T00:00:00Z","ValidTo":"2030-06-01T00:00:00Z","AffectedFields":["v.0.mp"],` +
			`"Logic":{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.names"}]}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := agreement.Load(with)
	if err != nil {
		t.Fatal(err)
	}
	law, err := rules.Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

// TestPublishedRule tells whom a published rule is against what the rule says, in their
// language where it was published in it, and shows the rules on the page of the law.
func TestPublishedRule(t *testing.T) {
	p := newTestPost(t)
	p.law = lawWithRules(t)
	c, err := certlogic.ParseCertificate([]byte(`{"payload":{"v":[{"mp":"canary"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	v := p.law.Check(rules.Query{Point: rules.Gate, At: p.now, Site: "mand-pishin", Side: "A", Facts: rules.Facts{"certificate": c}})
	for tag, want := range map[lang.Tag]string{
		lang.EN: "Your certificate is not accepted. Rule VR-XA-0001: The vaccine <must> be on the list.",
		lang.FA: "The vaccine <must> be on the list.",
		lang.UR: "آپ کا سرٹیفکیٹ قبول نہیں۔ قاعدہ \u2068VR-XA-0001\u2069: ویکسین فہرست میں ہونی چاہیے۔",
	} {
		found := false
		for _, l := range p.server.reasonLines(tag, v) {
			if l.Code == rules.CodeRule {
				found = true
				if !strings.Contains(l.Text, want) || l.Next == "" || l.Clause != "H1" {
					t.Errorf("%s: got %q, next %q, clause %s", tag, l.Text, l.Next, l.Clause)
				}
			}
		}
		if !found {
			t.Errorf("%s: no reason of the rule in %v", tag, v.Reasons)
		}
	}
	for path, want := range map[string]string{"/en/law": `<bdi lang="en">The vaccine &lt;must&gt; be on the list.</bdi>`, "/ur/law": `<bdi lang="ur">ویکسین فہرست میں ہونی چاہیے۔</bdi>`, "/fa/law": "VR-XA-0001 1.2.0"} {
		if body := p.get(path, "").body; !strings.Contains(body, want) {
			t.Errorf("%s: no %s", path, want)
		}
	}
}
