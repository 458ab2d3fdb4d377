// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"darwaza.dev/internal/people"
	"darwaza.dev/internal/qr"
)

// film writes a motion picture of a pass held before a camera, somewhat aslant and not
// quite in the middle, as Chromium's stand-in for a camera plays it.
func film(t *testing.T, text string) string {
	t.Helper()
	code, err := qr.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	const width, height, module = 1280, 720, 7
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			// A shear and a turn of some eight degrees.
			u, v := (x-330)*99+(y-40)*14, (y-90)*99-(x-330)*14
			shade := uint8(190 + (x+y)%23)
			if mx, my := u/(100*module), v/(100*module); u >= 0 && v >= 0 && mx < code.Size() && my < code.Size() && code.Black(mx, my) {
				shade = uint8(40 + (x*y)%31)
			}
			img.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	var frame bytes.Buffer
	if err := jpeg.Encode(&frame, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pass.mjpeg")
	if err := os.WriteFile(file, bytes.Repeat(frame.Bytes(), 4), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestGateByCamera reads a pass with the tablet's camera. Chromium on Linux has no
// detector of its own, so this is zxing-wasm under our content security policy.
func TestGateByCamera(t *testing.T) {
	p := openPost(t)
	if p.s.assets.optional("gen/zxing/reader.js") == "" {
		t.Skip("zxing-wasm is not fetched: make build does it")
	}
	p.appoint("mand", people.GateOfficer)
	tr := p.book(10, cnicA, "Bibi Gul", 1)
	c := openChrome(t, p, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film(t, tr.text)))
	c.size(768, 1024)
	c.signIn("mand")
	if n := js[int](c, `performance.getEntriesByType("resource").filter(e=>/zxing|scan\./.test(e.name)).length`); n != 0 {
		t.Errorf("%d files of the camera were fetched before anybody asked for it", n)
	}
	js[bool](c, `(document.querySelector("[data-camera]").click(), true)`)
	c.until(shows("HOLD"))
	c.shot("en-768-gate-camera")
	c.axe()
	// The pass stays in view and is asked about once.
	c.do(chromedp.Sleep(600 * 1e6))
	if n := len(p.presence(tr).Scans); n != 1 {
		t.Errorf("%d scans", n)
	}
	js[bool](c, `(document.querySelector("[data-camera]").click(), true)`)
	c.until(`document.getElementById("camera").hidden && document.querySelector("video").srcObject===null`)
}
