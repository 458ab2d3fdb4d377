// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package qr

import (
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

// picture draws modules as a camera would see them, some pixels wide, with the quiet border.
func picture(size int, black func(x, y int) bool) image.Image {
	const scale = 3
	img := image.NewGray(image.Rect(0, 0, (size+2*quiet)*scale, (size+2*quiet)*scale))
	for y := range img.Rect.Max.Y {
		for x := range img.Rect.Max.X {
			img.SetGray(x, y, color.Gray{255})
			if black(x/scale-quiet, y/scale-quiet) {
				img.SetGray(x, y, color.Gray{0})
			}
		}
	}
	return img
}

// scan reads a picture with another's reader.
func scan(img image.Image) (string, error) {
	b, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	r, err := reader.NewQRCodeReader().Decode(b, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return "", err
	}
	return r.GetText(), nil
}

const base45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// TestReadBack reads what is drawn with another's reader: texts as long as passes and
// receipts are, and any others.
func TestReadBack(t *testing.T) {
	read := func(t interface{ Fatalf(string, ...any) }, text string) {
		c, err := Encode(text)
		if err != nil {
			t.Fatalf("%d characters: %v", len(text), err)
		}
		if got, err := scan(picture(c.Size(), c.Black)); err != nil || got != text {
			t.Fatalf("%q: read %q, %v", text, got, err)
		}
	}
	for _, n := range []int{1, 265, 300, 700, 2000} {
		read(t, "DW1:"+strings.Repeat(base45, n/len(base45)+1)[:n])
	}
	rapid.Check(t, func(t *rapid.T) {
		read(t, rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune(base45)), 1, 400, -1), rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ01 /?=&")), 1, 200, -1)).Draw(t, "text"))
	})
}

// TestSize wants the code of a pass to be no larger than what a phone shows well:
// version n has 17 + 4n modules, and a pass takes version 10 at level M.
func TestSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"A", 21},
		{strings.Repeat("A", 20), 21}, {strings.Repeat("A", 21), 25},
		{strings.Repeat("0", 34), 21}, {strings.Repeat("a", 14), 21}, {strings.Repeat("a", 15), 25},
		{strings.Repeat("A", 262), 53}, {strings.Repeat("A", 265), 57}, {strings.Repeat("A", 300), 57}, {strings.Repeat("A", 311), 57}, {strings.Repeat("A", 700), 85},
		{strings.Repeat("A", 3391), 177},
	} {
		c, err := Encode(tt.text)
		if err != nil || c.Size() != tt.want {
			t.Errorf("%d of %.1q: %d modules, %v, want %d", len(tt.text), tt.text, c.Size(), err, tt.want)
		}
	}
	for _, text := range []string{strings.Repeat("A", 3392), strings.Repeat("a", 1<<16)} {
		if _, err := Encode(text); !errors.Is(err, ErrTooLong) {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
}

func TestBlack(t *testing.T) {
	c, err := Encode("DW1:ABC")
	if err != nil {
		t.Fatal(err)
	}
	// The corner of a finder pattern, and what lies outside.
	if !c.Black(0, 0) || c.Black(1, 1) || !c.Black(2, 2) || !c.Black(c.Size()-1, 0) {
		t.Error("no finder pattern")
	}
	for _, p := range [][2]int{{-1, 0}, {0, -1}, {c.Size(), 0}, {0, c.Size()}} {
		if c.Black(p[0], p[1]) {
			t.Errorf("%v is black", p)
		}
	}
	if (Code{}).Size() != 0 || (Code{}).Black(0, 0) {
		t.Error("the zero value is not empty")
	}
}

// svgCode is the SVG as a program reads it.
type svgCode struct {
	XMLName xml.Name
	Class   string `xml:"class,attr"`
	ViewBox string `xml:"viewBox,attr"`
	Role    string `xml:"role,attr"`
	Title   string `xml:"title"`
	Rect    struct {
		Width string `xml:"width,attr"`
		Fill  string `xml:"fill,attr"`
	} `xml:"rect"`
	Path struct {
		D string `xml:"d,attr"`
	} `xml:"path"`
}

// TestSVG parses the SVG, draws its path again, and wants the modules of the code.
func TestSVG(t *testing.T) {
	title := `پاس <b>"1" & 2</b>`
	c, err := Encode("DW1:" + strings.Repeat(base45, 6))
	if err != nil {
		t.Fatal(err)
	}
	text := c.SVG(title)
	var s svgCode
	d := xml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("more than one element: %v", err)
	}
	side := strconv.Itoa(c.Size() + 2*quiet)
	if s.XMLName.Space != "http://www.w3.org/2000/svg" || s.ViewBox != "0 0 "+side+" "+side || s.Role != "img" || s.Title != title || s.Rect.Width != side || s.Rect.Fill != "#fff" {
		t.Errorf("got %+v", s)
	}
	if strings.Contains(text, "style=") || strings.Contains(text, "<script") {
		t.Error("something that a content security policy would stop")
	}
	drawn := drawPath(t, s.Path.D)
	for y := -quiet; y < c.Size()+quiet; y++ {
		for x := -quiet; x < c.Size()+quiet; x++ {
			if drawn[[2]int{x + quiet, y + quiet}] != c.Black(x, y) {
				t.Fatalf("module %d, %d", x, y)
			}
		}
	}
	if got, err := scan(picture(c.Size(), func(x, y int) bool { return drawn[[2]int{x + quiet, y + quiet}] })); err != nil || !strings.HasPrefix(got, "DW1:") {
		t.Errorf("read %q, %v", got, err)
	}
}

// drawPath follows a path of moves and of boxes one module high.
func drawPath(t *testing.T, d string) map[[2]int]bool {
	t.Helper()
	black := map[[2]int]bool{}
	var x, y int
	number := func() int {
		d = strings.TrimLeft(d, " ")
		end := 0
		for end < len(d) && (d[end] == '-' && end == 0 || '0' <= d[end] && d[end] <= '9') {
			end++
		}
		n, err := strconv.Atoi(d[:end])
		if err != nil {
			t.Fatalf("no number at %.20q", d)
		}
		d = d[end:]
		return n
	}
	for d != "" {
		c := d[0]
		d = d[1:]
		switch c {
		case 'M':
			x, y = number(), number()
		case 'm':
			x, y = x+number(), y+number()
		case 'h':
			w := number()
			rest := "v1h-" + strconv.Itoa(w) + "z"
			if w < 1 || !strings.HasPrefix(d, rest) {
				t.Fatalf("no box at %.20q", d)
			}
			d = d[len(rest):]
			for i := range w {
				black[[2]int{x + i, y}] = true
			}
		default:
			t.Fatalf("%q in a path", c)
		}
	}
	return black
}
