// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"testing"

	"darwaza.dev/internal/intake"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

// TestIntakePage commits what a side takes on the page, by the day, by the week and by a
// rule, and shows what is left of the slots, why it is less, and what was sold above it.
func TestIntakePage(t *testing.T) {
	p := openPost(t)
	boss, manager := p.signedIn("boss", people.Supervisor), p.signedIn("manager", people.Manager)
	boss.get("/en/intake?site=1").wants("What we can take", "The agreement", "This side has said nothing.", "Nothing was measured yet.", "400")
	n := p.facts()
	for field, wrong := range map[string][]string{
		"Choose what limits it":                 {"resource", "", "places", "5"},
		"Choose when it holds":                  {"resource", "gate", "when", "8", "places", "5"},
		"Enter a number of places":              {"resource", "gate", "when", "0", "places", "many"},
		"Enter 1 to 400 percent.":               {"resource", "yard", "when", "0", "places", "50", "rule", "yes"},
		"The end must come after the beginning": {"resource", "gate", "when", "0", "places", "5", "from", "10:00", "to", "09:00"},
	} {
		boss.get("/en/intake?site=1")
		if boss.submit("/en/intake/set", wrong...); boss.code != 422 {
			t.Errorf("%s: %d", field, boss.code)
		}
		boss.wants(field)
	}
	if p.facts() != n {
		t.Errorf("%d facts of what was wrong", p.facts()-n)
	}
	boss.get("/en/intake?site=1")
	boss.submit("/en/intake/set", "resource", "health", "class", "visitor", "when", "0", "places", "300").wants("It is recorded.", "Health desk, Pakistan", "300 places in each slot", "Said by boss", "The other side has not heard of your last change yet.")
	if p.facts() != n+1 {
		t.Errorf("%d facts", p.facts()-n)
	}
	boss.submit("/en/intake/set", "resource", "gate", "class", "visitor", "when", "0", "places", "80", "rule", "yes").wants("80 percent of what the gate was measured to take: nothing was measured yet")
	p.do(service.HearPlaces{Sites: []intake.Told{{Site: mand, Serial: 1, Lines: []intake.Line{{Resource: intake.Staff, Class: 1, Weekday: 2, To: 1440, Places: 40}}, Heard: 2}}})
	boss.get("/en/intake?site=1").wants("Staff, Iran", "Tuesday").lacks("has not heard of your last change")
	manager.get("/en/intake?site=1").wants("Staff, Iran").lacks("Say what this side can take").lacks("Take this out")
	boss.get("/en/intake?site=1")
	boss.submit("/en/intake/drop").wants("It is recorded.")
	for _, l := range []string{"fa", "ur"} {
		boss.get("/" + l + "/intake?site=1").wants(map[string]string{"fa": "توان پذیرش", "ur": "ہماری گنجائش"}[l])
	}
}
