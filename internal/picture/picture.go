// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package picture reads the text of a QR code out of a picture: a photograph or a drawing.
package picture

import (
	"bytes"
	"image"
	"image/color"
	_ "image/gif"  // pictures of codes come as these three
	_ "image/jpeg" //
	_ "image/png"  //

	"darwaza.dev/internal/problem"
	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
)

// MaxPixels bounds a picture, in points, and Photograph one that a stranger sends: a
// telephone's camera makes some 12 million.
const (
	MaxPixels  = 40 << 20
	Photograph = 16 << 20
)

// Is reports whether a file is a picture of a format that is read.
func Is(b []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF8"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return false
}

// Text returns the text of the QR code in a picture of so many points at most. Readers in Go find fewer codes
// than those of browsers, so that it is tried in several ways, from the likely to the
// slow: as it is; with a margin, which a quarter of published pictures lack; at other
// sizes; in negative. What none finds is a problem of kind Invalid, which says nothing of
// the certificate.
func Text(b []byte, most int) (string, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return "", problem.Wrap(problem.Invalid, "picture", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > most/config.Height {
		return "", problem.Newf(problem.Limit, "picture", "the picture is too large")
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return "", problem.Wrap(problem.Invalid, "picture", err)
	}
	grey := greyOf(img)
	longest := max(config.Width, config.Height)
	for _, negative := range []bool{false, true} {
		src := grey
		if negative {
			src = invert(grey)
		}
		if text, ok := decodeQR(src); ok {
			return text, nil
		}
		if text, ok := decodeQR(margin(src)); ok {
			return text, nil
		}
		for _, size := range []int{500, 800, 1200, 350, 1700, 650, 1000, 2400} {
			if size == longest {
				continue
			}
			if text, ok := decodeQR(margin(scale(src, size, longest))); ok {
				return text, nil
			}
		}
	}
	return "", problem.Newf(problem.Invalid, "picture.qr", "no QR code could be read in the picture")
}

// decodeQR reads a picture by both ways of telling dark from light, as a photograph and as
// a drawing.
func decodeQR(img image.Image) (string, bool) {
	source := gozxing.NewLuminanceSourceFromImage(img)
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
			bitmap, err := gozxing.NewBinaryBitmap(binarizer)
			if err != nil {
				continue
			}
			if text, ok := decodeBitmap(bitmap, hint); ok {
				return text, true
			}
		}
	}
	return "", false
}

// decodeBitmap keeps a reader that fails in an unforeseen way on somebody's picture from
// taking the program with it.
func decodeBitmap(bitmap *gozxing.BinaryBitmap, hint gozxing.DecodeHintType) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	r, err := reader.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true})
	if err != nil {
		return "", false
	}
	return r.GetText(), true
}

// greyOf returns the picture in grey, transparent parts as white.
func greyOf(img image.Image) *image.Gray {
	b := img.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			r, gr, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			v := (299*r+587*gr+114*bl)/1000 + (0xffff - a)
			g.Pix[y*g.Stride+x] = uint8(min(v, 0xffff) >> 8)
		}
	}
	return g
}

func invert(src *image.Gray) *image.Gray {
	g := image.NewGray(src.Rect)
	for i, v := range src.Pix {
		g.Pix[i] = 255 - v
	}
	return g
}

// margin returns the picture in a white frame of a tenth of its size.
func margin(src *image.Gray) *image.Gray {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	m := max(16, max(w, h)/10)
	g := image.NewGray(image.Rect(0, 0, w+2*m, h+2*m))
	for i := range g.Pix {
		g.Pix[i] = 255
	}
	for y := range h {
		copy(g.Pix[(y+m)*g.Stride+m:], src.Pix[y*src.Stride:y*src.Stride+w])
	}
	return g
}

// scale returns the picture with its longest side from one length to another: the mean of
// what falls on a pixel where it shrinks, and the nearest where it grows.
func scale(src *image.Gray, to, from int) *image.Gray {
	w, h := max(1, src.Rect.Dx()*to/from), max(1, src.Rect.Dy()*to/from)
	g := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		y0 := y * from / to
		y1 := max(y0+1, (y+1)*from/to)
		for x := range w {
			x0 := x * from / to
			x1 := max(x0+1, (x+1)*from/to)
			sum, n := 0, 0
			for yy := y0; yy < min(y1, src.Rect.Dy()); yy++ {
				for xx := x0; xx < min(x1, src.Rect.Dx()); xx++ {
					sum += int(src.Pix[yy*src.Stride+xx])
					n++
				}
			}
			g.SetGray(x, y, color.Gray{Y: uint8(sum / max(1, n))})
		}
	}
	return g
}
