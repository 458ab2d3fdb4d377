// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"strings"
	"testing"

	"darwaza.dev/internal/people"
)

// shows is true when the gate's answer has the outcome and nothing is under way.
func shows(outcome string) string {
	return fmt.Sprintf(`document.getElementById("answer").dataset.outcome==%q && !document.getElementById("answer").hasAttribute("aria-busy")`, outcome)
}

// TestGateByScanner works the gate as an officer with a hand scanner does: keys and Enter,
// and no hand on the tablet but for what the gate asks.
func TestGateByScanner(t *testing.T) {
	p := openPost(t)
	p.appoint("mand", people.GateOfficer)
	c := openChrome(t, p).size(768, 1024)
	c.signIn("mand")
	c.until(`document.activeElement.id=="text"`)
	c.axe()
	c.fits()
	tr := p.book(10, cnicA, "Bibi Gul", 2)
	c.keys(tr.text + "\r").until(shows("HOLD"))
	c.axe()
	c.fits()
	if url := js[string](c, "location.pathname"); url != "/en/gate" {
		t.Errorf("left the page for %s", url)
	}
	js[bool](c, `(temperature.value="36.6", document.getElementById("symptoms-no").click(), document.querySelector("#answer input[name=document]").value="`+cnicA+`", document.querySelector("#answer form.ask .big-button").click(), true)`)
	c.until(shows("ALLOW"))
	c.axe()
	c.shot("en-768-gate-ALLOW")
	c.size(1280, 800).shot("en-1280-gate-ALLOW")
	c.size(360, 780).shot("en-360-gate-ALLOW")
	c.size(768, 1024)
	if !p.presence(tr).Inside {
		t.Error("not inside")
	}
	// The field has the focus again, empty, and the next one can come.
	c.until(`document.activeElement.id=="text" && document.activeElement.value==""`)
	// A trigger pulled twice is one scan.
	before := len(p.presence(tr).Scans)
	js[bool](c, `(document.getElementById("way-out").click(), true)`)
	c.keys(tr.text + "\r" + tr.text + "\r").until(shows("ALLOW"))
	c.until(`document.getElementById("counts").innerText.includes("0 / 600")`)
	if n := len(p.presence(tr).Scans); n != before+1 {
		t.Errorf("%d scans more", n-before)
	}
	// What cannot be done is said in the answer's place, and the queue goes on.
	js[bool](c, `(document.querySelectorAll("#last form button")[1].click(), true)`)
	c.until(shows("PROBLEM")).until(`answer.innerText.includes("Take the later scan back first") && document.activeElement.id=="text"`)
	c.axe()
	c.keys("https://example.org\r").until(shows("REFUSE"))
	c.keys(tr.text + "\r").until(shows("REFER"))
	// A tap on nothing in particular does not lose the field.
	js[bool](c, `(document.activeElement.blur(), document.querySelector(".verdict-word").click(), true)`)
	c.until(`document.activeElement.id=="text"`)
	// Enter alone, and a key held down, do nothing.
	c.keys("\r\r")
	js[bool](c, `(text.dispatchEvent(new KeyboardEvent("keydown",{key:"a",code:"KeyA",repeat:true,bubbles:true,cancelable:true})), true)`)
	c.until(shows("REFER"))
	if v := js[string](c, `text.value`); v != "" {
		t.Errorf("a held key typed %q", v)
	}
}

// TestGateOtherKeyboard: the tablet's keyboard is set to Persian, and the scanner presses
// the keys of a US board.
func TestGateOtherKeyboard(t *testing.T) {
	p := openPost(t)
	p.appoint("mand", people.GateOfficer)
	c := openChrome(t, p)
	c.signIn("mand")
	for _, k := range []struct{ key, code, shift, want string }{
		{"ي", "KeyD", "", "D"}, {"ص", "KeyW", "", "DW"}, {"۱", "Digit1", "", "DW1"}, {"ـ", "Semicolon", "1", "DW1:"}, {"٪", "Digit5", "1", "DW1:%"}, {"ک", "Semicolon", "", "DW1:%;"},
	} {
		js[bool](c, fmt.Sprintf(`text.dispatchEvent(new KeyboardEvent("keydown",{key:%q,code:%q,shiftKey:%v,bubbles:true,cancelable:true}))||true`, k.key, k.code, k.shift != ""))
		if got := js[string](c, "text.value"); got != k.want {
			t.Errorf("after %s: %q, want %q", k.code, got, k.want)
		}
	}
	// The first line of a passport waits for the second.
	js[bool](c, `(text.value="", text.focus(), true)`)
	c.keys("P<IRNAHMADI<<FATEMEH<<<<<<<<<<<<<<<<<<<<<<<<\r")
	if got := js[string](c, "text.value"); len(got) != 44 {
		t.Errorf("after the first line the field holds %q\n%s", got, js[string](c, `document.activeElement.outerHTML+answer.innerText`))
	}
}

// TestGateLostAnswer: the server does not answer, then answers twice what was done once.
func TestGateLostAnswer(t *testing.T) {
	p := openPost(t)
	b := p.signedIn("other", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 0)
	b.enter(tr)
	p.appoint("mand", people.GateOfficer)
	c := openChrome(t, p)
	c.signIn("mand")
	js[bool](c, `(document.getElementById("way-out").click(), true)`)
	p.mu.Lock()
	p.lost = 2
	p.mu.Unlock()
	c.keys(tr.text + "\r").until(shows("ALLOW"))
	if strings.Contains(js[string](c, `answer.innerText`), "twice") || p.presence(tr).Inside {
		t.Error(js[string](c, `answer.innerText`))
	}
	tr2 := p.book(10, cnicB, "Gul Khan", 0)
	p.mu.Lock()
	p.lost = 100
	p.mu.Unlock()
	c.keys(tr2.text + "\r").until(shows("OFFLINE"))
	c.axe()
	p.mu.Lock()
	p.lost = 0
	p.mu.Unlock()
	js[bool](c, `(document.querySelector("#answer button").click(), true)`)
	c.until(`document.getElementById("answer").dataset.outcome!="OFFLINE"`)
}

// TestDeskLive keys a purchase as a customs officer does: the answer follows the typing.
func TestDeskLive(t *testing.T) {
	p, desk, _ := shop(t)
	c := openChrome(t, p).size(768, 1024)
	c.signIn("customs")
	c.open(desk.path)
	c.until(`document.activeElement.id=="q"`)
	c.keys("tamatar").until(`document.querySelector("#found a")?.innerText.includes("Tomatoes")`)
	js[bool](c, `(document.querySelector("#found a").click(), true)`)
	c.until(`document.activeElement.id=="quantity"`)
	c.keys("60").until(`document.querySelector("#check .verdict.ALLOW")?.innerText.includes("USD 30")`)
	// More digits: the button of the old answer is dead until the new one is there.
	js[bool](c, `(window.fetch_=fetch, window.fetch=(...a)=>new Promise(r=>setTimeout(r,300)).then(()=>fetch_(...a)), true)`)
	c.keys("0")
	if !js[bool](c, `document.querySelector("#check [data-act]").disabled`) {
		t.Error("an answer to another quantity can be acted on")
	}
	c.until(`document.querySelector("#check .verdict.REFUSE, #check .verdict.DIVERT, #check .verdict.REFER") != null`)
	c.keys("\b").until(`document.querySelector("#check .verdict.ALLOW [data-act]")?.disabled === false`)
	c.axe()
	js[bool](c, `(document.querySelector("#check [data-act]").click(), true)`)
	c.until(`document.getElementById("done") != null`)
	c.axe()
	c.shot("en-768-bought")
	js[bool](c, `(document.querySelector("#done a").click(), true)`)
	c.until(`location.pathname.includes("/receipt/") && document.querySelector("[data-print]")?.hidden === false`)
}
