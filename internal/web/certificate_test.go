// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/proof"
	"darwaza.dev/internal/proof/hcert"
	"darwaza.dev/internal/qr"
	"darwaza.dev/internal/rules"
)

// drawn is a picture of a code.
func drawn(t *testing.T, text string) []byte {
	t.Helper()
	c, err := qr.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	const scale, margin = 4, 16
	n := c.Size()*scale + 2*margin
	img := image.NewGray(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			v := uint8(255)
			if cx, cy := (x-margin)/scale, (y-margin)/scale; x >= margin && y >= margin && cx < c.Size() && cy < c.Size() && c.Black(cx, cy) {
				v = 0
			}
			img.SetGray(x, y, color.Gray{Y: v})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload sends the form of a certificate.
func (b *browser) upload(path, text string, picture []byte) *browser {
	b.p.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.WriteField("certificate", text); err != nil {
		b.p.t.Fatal(err)
	}
	f, err := w.CreateFormFile("picture", "CANARYFILE.png")
	if err != nil {
		b.p.t.Fatal(err)
	}
	f.Write(picture)
	w.Close()
	b.take(b.c.Post(b.p.url+path, w.FormDataContentType(), &body))
	return b
}

// TestCertificateAtBooking judges certificates at the hour that somebody thinks of: one
// that is good from its beginning to its end, one that lapses in between, one that is too
// new, one that nobody believes. Nothing of any is kept, and none stands on the page.
func TestCertificateAtBooking(t *testing.T) {
	p, a := guardedPost(t)
	b := p.browser()
	slot := slotOfPost(14)
	begins := p.clock().Truncate(time.Hour).Add(4 * time.Hour)
	path := fmt.Sprintf("/en/book/certificate?slot=%d", slot)
	b.get(fmt.Sprintf("/en/book/people?slot=%d", slot)).wants("A health certificate is asked for at this hour")
	b.get(path).wants("Will my health certificate do?")
	far := begins.Add(1000 * time.Hour)
	good := a.test("KHANZADA", "CANARY", begins.Add(-20*time.Hour), far)
	dose, err := hcert.Issue(a.key, a.id, &proof.Claims{Issuer: "AT", IssuedAt: begins.Add(-48 * time.Hour), Until: far, ID: "URN:UVCI:CANARYUVCI", Holder: proof.Holder{FamilyICAO: "KHANZADA", GivenICAO: "CANARY"},
		Events: []proof.Event{{Kind: proof.Vaccination, Disease: proof.COVID19, On: must2(proof.ParseDate("2025-08-25")), Country: "AUT", Issuer: "CANARYLAB", Dose: 2, Of: 2, Product: proof.Code{System: proof.Text, Value: "CANARYLOT"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, text string
		picture    []byte
		code       int
		wants      []string
		lacks      []string
	}{
		{"good", good, nil, 200, []string{`data-good="true"`, "will do at your crossing", "The gate reads it again"}, []string{"rapid test"}},
		{"good, as a picture", "", drawn(t, good), 200, []string{`data-good="true"`}, nil},
		{"it lapses while the hour lasts", a.test("KHANZADA", "CANARY", begins.Add(-23*time.Hour-30*time.Minute), far), nil, 200,
			[]string{`data-good="false"`, "lapses before you have crossed", "2 September 2025", "14:30", "rapid test", "minutes to the result"}, nil},
		{"its own validity ends before", a.test("KHANZADA", "CANARY", begins.Add(-20*time.Hour), begins.Add(10*time.Minute)), nil, 200,
			[]string{`data-good="false"`, "lapses before you have crossed", "14:10"}, nil},
		{"too new", dose, nil, 200, []string{`data-good="false"`, "too new for this hour", "8 September 2025"}, nil},
		{"forged", newAuthority(t).test("KHANZADA", "CANARY", begins.Add(-20*time.Hour), far), nil, 200, []string{`data-good="false"`, "not genuine", "rapid test"}, []string{"Do not rely on it"}},
		{"nothing", "", nil, 422, []string{"Choose a picture or paste the text"}, []string{"will not do"}},
		{"something else", "https://example.org/", nil, 422, []string{"not the code of a health certificate"}, nil},
		{"a picture without a code", "", drawn(t, "")[:200], 422, []string{"No code could be read"}, nil},
		{"a picture of a pass", "", drawn(t, "DW1:HELLO"), 422, []string{"not the code of a health certificate"}, nil},
		{"too large", strings.Repeat("x", maxLong+1), nil, http.StatusRequestEntityTooLarge, nil, nil},
		{"a picture that is too large", "", make([]byte, maxPicture+1), http.StatusRequestEntityTooLarge, nil, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			p.t = t
			b.upload(path, c.text, c.picture)
			if b.code != c.code {
				t.Fatalf("%d, want %d\n%s", b.code, c.code, b.text())
			}
			for _, x := range c.wants {
				if strings.HasPrefix(x, "data-") {
					if !strings.Contains(b.body, x) {
						t.Errorf("no %s\n%s", x, b.text())
					}
					continue
				}
				b.wants(x)
			}
			for _, x := range c.lacks {
				b.lacks(x)
			}
			for _, canary := range []string{"CANARY", "KHANZADA", "HC1:6"} {
				if strings.Contains(b.body, canary) {
					t.Errorf("the page repeats %s", canary)
				}
			}
			if len(b.body) > 30<<10 {
				t.Errorf("%d bytes", len(b.body))
			}
		})
	}
	p.t = t
	p.noCanary()
	clerk := p.signedIn("window", people.Clerk)
	clerk.upload(fmt.Sprintf("/en/clerk/book/certificate?slot=%d", slot), good, nil).wants("will do at your crossing")

}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// slotOfPost is an hour of the visitors at Mand on the day of the tests.
func slotOfPost(hour int) booking.SlotID {
	return booking.MakeSlotID(mand, visitor, rules.DayNumber(calendar.MustDate("2025-09-02")), uint16(hour*60))
}
