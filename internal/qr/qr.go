// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package qr draws QR codes (ISO/IEC 18004) as SVG and as a matrix of modules.
package qr

import (
	"errors"
	"html"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// quiet is the width of the empty border in modules that ISO/IEC 18004 section 9.1
// asks for.
const quiet = 4

// ErrTooLong is a text that no QR code of level M can hold.
var ErrTooLong = errors.New("qr: text too long")

// Code is a drawn QR code. The zero value is empty.
type Code struct {
	size   int
	stride int
	bits   []byte
}

// Encode draws text at error correction level M (about 15 % of the modules may be
// lost), which lasts on creased paper. A text of digits, upper-case Latin letters and
// " $%*+-./:" takes 5.5 bits a character, any other 8; hence passes are in Base45.
func Encode(text string) (Code, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return Code{}, ErrTooLong
	}
	return Code{size: c.Size, stride: c.Stride, bits: c.Bitmap}, nil
}

// Size returns the number of modules on a side, without the border: 21 to 177.
func (c Code) Size() int { return c.size }

// Black reports whether the module in column x and row y is dark; outside the code
// nothing is.
func (c Code) Black(x, y int) bool {
	return 0 <= x && x < c.size && 0 <= y && y < c.size &&
		c.bits[y*c.stride+x/8]&(1<<uint(7-x&7)) != 0
}

// SVG returns the code as one SVG element without size, to be sized by its
// surroundings. The colours are fixed and the ground is drawn, because scanners do
// not read light codes on a dark page. title is what a screen reader says.
func (c Code) SVG(title string) string {
	var b strings.Builder
	side := strconv.Itoa(c.size + 2*quiet)
	b.Grow(512 + c.size*c.size*6)
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 `)
	b.WriteString(side + " " + side)
	b.WriteString(`" role="img" shape-rendering="crispEdges"><title>`)
	b.WriteString(html.EscapeString(title))
	b.WriteString(`</title><rect width="` + side + `" height="` + side + `" fill="#fff"/><path d="`)
	var n [8]byte
	num := func(v int) { b.Write(strconv.AppendInt(n[:0], int64(v), 10)) }
	for y := range c.size {
		at := -1 // where the pen is on this row, -1 before the first run
		for x := 0; x < c.size; {
			if !c.Black(x, y) {
				x++
				continue
			}
			from := x
			for c.Black(x, y) {
				x++
			}
			if at < 0 {
				b.WriteByte('M')
				num(from + quiet)
				b.WriteByte(' ')
				num(y + quiet)
			} else {
				b.WriteByte('m')
				num(from - at)
				b.WriteString(" 0")
			}
			// One module high, closed by the fill.
			w := x - from
			b.WriteByte('h')
			num(w)
			b.WriteString("v1h-")
			num(w)
			b.WriteByte('z')
			at = from
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}
