// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"testing"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/service"
)

// TestSalesHeld: where the record has lost its end, the day's page says that nothing is
// sold, and a supervisor opens the site again.
func TestSalesHeld(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("boss", people.Supervisor)
	b.get("/en/day?site=1").lacks("No places are sold")
	p.do(service.BeginList{List: 7, Hold: true})
	b.get("/en/day?site=1").wants("No places are sold", "Passes still let people in", "Sell places again")
	for _, c := range []struct{ lang, says string }{{"fa", "جایی فروخته نمی\u200cشود"}, {"ur", "جگہیں فروخت نہیں ہو رہیں"}} {
		b.get("/" + c.lang + "/day?site=1").wants(c.says)
	}
	b.get("/en/day?site=1")
	form := b.fields("/en/day/open")
	b.postForm("/en/day/open", form)
	b.wants("Places are sold again.").lacks("No places are sold")
}
