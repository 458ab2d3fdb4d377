// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html"
	"html/template"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// The measures of a chart in its own units; CSS gives it its size on the page.
const (
	chartWidth  = 720
	chartHeight = 240
	chartTop    = 24 // room for the cap's label
	chartFoot   = 26 // room for the labels of columns
	chartSide   = 46 // room for the figures of the scale
)

// chart is a drawing of one figure over time, made on the server: columns, or a line
// of steps, against a scale. It holds no colours: classes do. In a language that is
// written from the right, time runs from the right as well. The table of the same
// figures stands under it, for whoever cannot see it and whoever doubts it.
type chart struct {
	Title   string
	RTL     bool
	Columns []chartColumn
	// Steps draws a line of steps in place of columns.
	Steps bool
	// Cap is drawn as a line across, with its label; 0 for none.
	Cap      int64
	CapLabel string
	// Say writes a figure of the scale in the reader's digits.
	Say func(int64) string
}

// chartColumn is one span of time. Label stands under it, empty for none. A span that
// has not come yet is Ahead: nothing is drawn for it.
type chartColumn struct {
	Label string
	Value int64
	Ahead bool
}

// scale returns a round number not under most, and how many lines of the scale there
// are up to it.
func scale(most int64) (top int64, lines int64) {
	if most <= 4 {
		return 4, 4
	}
	step := int64(1)
	for {
		for _, m := range [...]int64{1, 2, 5} {
			if s := m * step; s*5 >= most {
				return (most + s - 1) / s * s, (most + s - 1) / s
			}
		}
		step *= 10
	}
}

// SVG returns the drawing as one element. Everything that is text is escaped.
func (c chart) SVG() template.HTML {
	most := c.Cap
	for _, v := range c.Columns {
		most = max(most, v.Value)
	}
	top, lines := scale(most)
	const plotWidth, plotHeight = chartWidth - chartSide, chartHeight - chartTop - chartFoot
	// tenths of a unit, so that nothing is a floating point number
	y := func(v int64) int64 { return (chartTop+plotHeight)*10 - v*plotHeight*10/top }
	x := func(at int64) int64 {
		if c.RTL {
			return plotWidth*10 - at
		}
		return chartSide*10 + at
	}
	var b strings.Builder
	attr := func(name string, tenths int64) {
		b.WriteString(" " + name + `="` + dec(tenths) + `"`)
	}
	text := func(class string, tx, ty int64, s string) {
		b.WriteString(`<text class="` + class + `"`)
		attr("x", tx)
		attr("y", ty)
		b.WriteString(">" + html.EscapeString(s) + "</text>")
	}
	b.WriteString(`<svg class="chart" viewBox="0 0 ` + strconv.Itoa(chartWidth) + " " + strconv.Itoa(chartHeight) +
		`" role="img"><title>` + html.EscapeString(c.Title) + "</title>")
	for i := int64(0); i <= lines; i++ {
		v := top * i / lines
		b.WriteString(`<path class="chart-grid" d="M` + dec(x(0)) + " " + dec(y(v)) + "H" + dec(x(plotWidth*10)) + `"/>`)
		text("chart-scale", x(-chartSide*5), y(v)+40, c.Say(v))
	}
	n := int64(len(c.Columns))
	if n > 0 {
		wide := plotWidth * 10 / n
		var line strings.Builder
		for i, col := range c.Columns {
			from, to := wide*int64(i), wide*int64(i+1)
			switch {
			case col.Ahead:
			case c.Steps:
				verb := "L"
				if i == 0 {
					verb = "M"
				}
				line.WriteString(verb + dec(x(from)) + " " + dec(y(col.Value)) + "H" + dec(x(to)))
			case col.Value > 0:
				gap := wide / 8
				b.WriteString(`<rect class="chart-bar"`)
				attr("x", min(x(from+gap), x(to-gap)))
				attr("y", y(col.Value))
				attr("width", wide-2*gap)
				attr("height", y(0)-y(col.Value))
				b.WriteString("/>")
			}
			if col.Label != "" {
				text("chart-label", x(from+wide/2), chartHeight*10-60, col.Label)
			}
		}
		if line.Len() > 0 {
			b.WriteString(`<path class="chart-line" d="` + line.String() + `"/>`)
		}
	}
	if c.Cap > 0 {
		b.WriteString(`<path class="chart-cap" d="M` + dec(x(0)) + " " + dec(y(c.Cap)) + "H" + dec(x(plotWidth*10)) + `"/>`)
		text("chart-cap-label", x(plotWidth*5), y(c.Cap)-60, c.CapLabel)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// bar is a figure as a share of the greatest beside it: a drawing for a cell of a
// table, which holds the figure in words.
func bar(value, most int64, rtl bool) template.HTML {
	if most <= 0 {
		most = 1
	}
	value = min(max(value, 0), most)
	w := value * 1000 / most
	from := int64(0)
	if rtl {
		from = 1000 - w
	}
	return template.HTML(`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">` +
		`<rect class="bar-ground" width="100" height="10"/><rect class="bar-value" x="` + dec(from) + `" width="` + dec(w) + `" height="10"/></svg>`)
}

// whole is a count of any size of integer, as templates have it; 0 for anything else.
func whole(v any) int64 {
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int()
	case r.CanUint():
		return int64(min(r.Uint(), math.MaxInt64))
	}
	return 0
}

// dec writes a number of tenths.
func dec(tenths int64) string {
	s := strconv.FormatInt(tenths/10, 10)
	if tenths < 0 && tenths > -10 {
		s = "-0"
	}
	if r := tenths % 10; r != 0 {
		s += "." + strconv.FormatInt(max(r, -r), 10)
	}
	return s
}
