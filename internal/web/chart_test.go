// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestScale(t *testing.T) {
	for most, want := range map[int64][2]int64{0: {4, 4}, 4: {4, 4}, 5: {5, 5}, 7: {8, 4}, 23: {25, 5}, 60: {60, 3}, 99: {100, 5}, 600: {600, 3}, 1001: {1500, 3}} {
		top, lines := scale(most)
		if [2]int64{top, lines} != want {
			t.Errorf("scale(%d) = %d in %d, want %v", most, top, lines, want)
		}
	}
}

// TestChartHolds draws charts of any figures and looks at what was drawn: well-formed,
// inside its frame, as high as the figures say, and mirrored from right to left.
func TestChartHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chart{Title: "<&\">", Say: func(n int64) string { return strconv.FormatInt(n, 10) }, CapLabel: "cap & more",
			RTL: rapid.Bool().Draw(t, "rtl"), Steps: rapid.Bool().Draw(t, "steps"), Cap: rapid.Int64Range(0, 1e6).Draw(t, "cap")}
		for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 1e6), 0, 96).Draw(t, "values") {
			c.Columns = append(c.Columns, chartColumn{Label: "a<b", Value: v})
		}
		svg := string(c.SVG())
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
			el, ok := tok.(xml.StartElement)
			if !ok || el.Name.Local == "svg" {
				continue
			}
			at := map[string]float64{}
			for _, a := range el.Attr {
				if f, err := strconv.ParseFloat(a.Value, 64); err == nil {
					at[a.Name.Local] = f
				}
			}
			if x := at["x"]; x < 0 || x+at["width"] > chartWidth+.11 {
				t.Fatalf("x %v, width %v in %s", x, at["width"], svg)
			}
			if y := at["y"]; y < 0 || y+at["height"] > chartHeight {
				t.Fatalf("y %v, height %v in %s", y, at["height"], svg)
			}
		}
	})
}

func TestChartMirrors(t *testing.T) {
	first := regexp.MustCompile(`<rect class="chart-bar" x="([0-9.]+)"`)
	at := func(rtl bool) float64 {
		c := chart{RTL: rtl, Say: func(int64) string { return "" }, Columns: []chartColumn{{Value: 5}, {}, {}, {}}}
		m := first.FindStringSubmatch(string(c.SVG()))
		if m == nil {
			t.Fatal("no column")
		}
		f, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if l, r := at(false), at(true); l > chartWidth/2 || r < chartWidth/2 {
		t.Errorf("the first column stands at %v from the left and at %v from the right", l, r)
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		value, most int64
		rtl         bool
		want        string
	}{
		{50, 100, false, `x="0" width="50"`},
		{50, 100, true, `x="50" width="50"`},
		{1, 3, false, `x="0" width="33.3"`},
		{200, 100, false, `x="0" width="100"`},
		{5, 0, false, `x="0" width="100"`},
		{-5, 10, false, `x="0" width="0"`},
	} {
		if got := string(bar(c.value, c.most, c.rtl)); !strings.Contains(got, c.want) {
			t.Errorf("bar(%d, %d, %v) = %s, want %s", c.value, c.most, c.rtl, got, c.want)
		}
	}
}
