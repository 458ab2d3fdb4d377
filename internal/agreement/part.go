// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/reason"
)

const (
	maxLines    = 20000 // of all lists and tables together
	maxSlotsDay = 96
)

// list reads a list: what the text says of each code in one CSV file, the names
// that people use for the goods in another, so that the words can be mended without
// a doubt about the law.
func (r *reader) list(x rawList) {
	file := r.file
	r.owner = x.ID
	r.id(1, "list", x.ID)
	r.declare("list", x.ID, 1)
	r.text(1, "title", trim(x.Title))
	if x.Source == "" {
		r.fault(1, "list without a source", "say which text gives it")
	}
	if x.Kind == "" {
		x.Kind = ListGoods
	}
	info := ListInfo{ID: x.ID, Title: trim(x.Title), Source: strings.TrimSpace(x.Source), Absent: x.Absent, Items: x.Items, Kind: x.Kind, Open: trim(x.Open), Partial: x.Partial,
		Rates: map[string]string{}, Categories: map[string]lang.Text{}, Line: 1, File: file}
	if len(info.Open) > 0 {
		r.text(1, "open", info.Open)
	}
	for _, k := range slices.Sorted(maps.Keys(x.Categories)) {
		r.text(1, "name of category "+k, trim(x.Categories[k].Name))
		info.Rates[k], info.Categories[k] = x.Categories[k].Rate, trim(x.Categories[k].Name)
	}
	r.e.ListInfo[x.ID] = info
	if x.Absent {
		if x.Partial {
			r.fault(1, "absent, and yet read in part", "take out absent, and write the lines that were read; or take out partial")
		}
		if x.Lines != "" || x.Names != "" {
			r.fault(1, "absent, and yet with lines", "take out absent, or the lines")
		}
		return
	}
	if x.Kind != ListGoods && (x.Names != "" || len(x.Categories) > 0) {
		r.fault(1, fmt.Sprintf("names or categories in a list of %s", x.Kind), "write the names into the columns en, fa and ur of its lines")
	}
	n := 0
	switch x.Kind {
	case ListGoods:
		n = r.goodsList(x, info)
	case ListPlaces:
		n = r.places(x)
	case ListValues:
		n = r.values(x)
	default:
		r.fault(1, fmt.Sprintf("kind %q", x.Kind), "write goods, places or values")
		return
	}
	r.file = file
	if x.Items != 0 && x.Items != n && (!x.Partial || n > x.Items) {
		r.fault(1, fmt.Sprintf("%d lines where the text has %d", n, x.Items), "compare the list with the text")
	}
}

// The kinds of lists.
const (
	ListGoods  = "goods"
	ListPlaces = "places"
	ListValues = "values"
)

// goodsList reads the lines of a list of goods and returns how many there are.
func (r *reader) goodsList(x rawList, info ListInfo) int {
	file := r.file
	r.e.lineFile[x.ID] = "lists/" + x.Lines
	known := []string{"code", "category", "rate", "from", "until", "published", "ended", "exclude", "unit", "icon", "en", "fa", "ur", "words", "site", "side"}
	rows := r.csv("lists/", x.Lines, []string{"code"}, func(h string) bool {
		_, ok := r.e.Attributes[h]
		return ok || slices.Contains(known, h)
	}, "code, category, rate, from, until, published, ended, exclude, site, side, en, fa, ur, unit, icon, words, or an attribute")
	var lines []goods.Line
	at := map[string][]int{} // code → indexes in lines
	for _, row := range rows {
		l := goods.Line{Row: row.line, Category: row.get("category"), Name: lang.Text{}, Unit: row.get("unit"), Icon: row.get("icon")}
		if s := row.get("rate"); s != "" {
			rate, err := quantity(s, "percent")
			if err != nil {
				r.fault(row.line, "rate: "+err.Error(), "write a number of percent, such as 5 or 7.5")
			}
			l.Rate = rate
		} else if slices.Contains(row.head, "rate") && row.get("exclude") != "true" {
			r.fault(row.line, "no rate", "write a number of percent, such as 5 or 7.5")
		}
		var ok bool
		if l.Code, ok = plainCode(row.get("code")); !ok {
			r.fault(row.line, fmt.Sprintf("code %q is not of two to eight digits%s", row.get("code"), otherDigits(row.get("code"))), "write it as 0702.0000, or shorter where the text names a heading or chapter")
			continue
		}
		if len(l.Code)%2 != 0 {
			r.warn(row.line, fmt.Sprintf("code %s has an odd number of digits", row.get("code")), "compare it with the text; it stands for every code that begins so")
		}
		l.Exclude = r.excluded(row)
		_, declared := info.Categories[l.Category]
		if !declared && l.Category != "" {
			r.fault(row.line, fmt.Sprintf("category %q is not declared", l.Category), "declare it in "+path.Base(file))
		}
		if l.Category == "" && len(info.Categories) > 0 && !l.Exclude {
			r.fault(row.line, "no category", "name one of "+path.Base(file))
		}
		l.From, l.Until = r.when(scalar{row.get("from"), row.line}), r.when(scalar{row.get("until"), row.line})
		l.Published, l.Ended = r.date(scalar{row.get("published"), row.line}), r.ended(scalar{row.get("ended"), row.line}, scalar{row.get("until"), row.line})
		if !l.Until.IsZero() && l.From.Compare(l.Until) >= 0 {
			r.fault(row.line, "ends before it begins", "put until after from")
		}
		for _, h := range row.head {
			s := row.get(h)
			_, declared := r.e.Attributes[h]
			if s == "" || !declared && h != "site" && h != "side" {
				continue
			}
			switch h {
			case "site":
				if _, ok := r.e.Site(s); !ok {
					r.fault(row.line, fmt.Sprintf("site %q is not known", s), "name a site of agreement.yaml")
				}
			case "side":
				if !Side(s).Valid() {
					r.fault(row.line, fmt.Sprintf("side %q", s), "write A or B")
				}
			default:
				r.pin(row.line, h, s)
			}
			if l.For == nil {
				l.For = map[string]string{}
			}
			l.For[h] = s
		}
		r.names(row, &l)
		if len(l.Name) > 0 {
			r.text(row.line, "name of "+row.get("code"), l.Name)
		}
		at[l.Code] = append(at[l.Code], len(lines))
		lines = append(lines, l)
	}
	if x.Names != "" {
		r.goodsNames(x, lines, at)
	}
	r.file = file
	bare := 0
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Unit == "" && x.Names != "" && !l.Exclude:
			r.fault(1, "no name for "+goods.FormatCode(l.Code), "add a line to "+x.Names)
		case l.Name.In(lang.EN) == "" && !l.Exclude:
			bare++
		}
		if l.Name.In(lang.EN) == "" {
			l.Name[lang.EN] = goods.FormatCode(l.Code)
		}
	}
	if bare > 0 {
		r.warn(1, fmt.Sprintf("%d lines without a name", bare), "add the columns en, fa and ur, or a file of names")
	}
	l, err := goods.NewList(x.ID, info.Title, lines)
	if wrong := (*goods.LineError)(nil); errors.As(err, &wrong) {
		r.file = "lists/" + x.Lines
		r.fault(wrong.Line.Row, goods.FormatCode(wrong.Line.Code)+" "+wrong.What, wrong.Mend)
		return len(rows)
	}
	if r.e.Lists == nil {
		r.e.Lists = map[string]*goods.List{}
	}
	r.e.Lists[x.ID] = l
	return len(lines)
}

// names reads the columns with what the good is called.
func (r *reader) names(row csvRow, l *goods.Line) {
	for _, tag := range lang.Tags {
		if s := row.get(string(tag)); s != "" {
			l.Name[tag] = s
		}
	}
	for w := range strings.SplitSeq(row.get("words"), "|") {
		if w = strings.TrimSpace(w); w != "" {
			l.Words = append(l.Words, w)
		}
	}
}

// goodsNames reads the file of names beside the lines.
func (r *reader) goodsNames(x rawList, lines []goods.Line, at map[string][]int) {
	columns := []string{"code", "unit", "icon", "en", "fa", "ur", "words"}
	named := map[string]bool{}
	for _, row := range r.csv("lists/", x.Names, columns, func(h string) bool { return slices.Contains(columns, h) }, strings.Join(columns, ",")) {
		code, _ := plainCode(row.get("code"))
		if len(at[code]) == 0 {
			r.fault(row.line, fmt.Sprintf("code %q is not on the list", row.get("code")), "take the line out")
			continue
		}
		if named[code] {
			r.fault(row.line, fmt.Sprintf("code %q is named twice", row.get("code")), "keep one line of it")
			continue
		}
		named[code] = true
		l := goods.Line{Name: lang.Text{}, Unit: row.get("unit"), Icon: row.get("icon")}
		r.names(row, &l)
		r.text(row.line, "name of "+row.get("code"), l.Name)
		if l.Unit == "" {
			r.fault(row.line, "good without a unit", "write kg, litre, piece or another")
			l.Unit = "?"
		}
		for _, i := range at[code] {
			lines[i].Name, lines[i].Words, lines[i].Unit, lines[i].Icon = l.Name, l.Words, l.Unit, l.Icon
		}
	}
}

// places reads a list of places, each within another or at the top.
func (r *reader) places(x rawList) int {
	p := &Places{ID: x.ID, Name: map[string]lang.Text{}, Up: map[string]string{}}
	columns := []string{"id", "parent", "en", "fa", "ur"}
	rows := r.csv("lists/", x.Lines, columns[:3], func(h string) bool { return slices.Contains(columns, h) }, strings.Join(columns, ","))
	at := map[string]int{}
	for _, row := range rows {
		id := row.get("id")
		r.id(row.line, "place", id)
		if _, twice := p.Up[id]; twice {
			r.fault(row.line, fmt.Sprintf("place %s stands twice", id), "keep one line of it")
			continue
		}
		at[id] = row.line
		p.Up[id], p.Name[id] = row.get("parent"), r.rowName(row)
	}
	for _, row := range rows {
		up := row.get("parent")
		if _, ok := p.Up[up]; up != "" && !ok {
			r.fault(row.line, fmt.Sprintf("parent %q is not on the list", up), "add a line for it, or leave the parent empty")
		}
	}
	done := map[string]bool{}
	for _, row := range rows {
		path := map[string]bool{}
		id := row.get("id")
		for id != "" && !done[id] {
			if path[id] {
				r.fault(at[id], fmt.Sprintf("place %s lies in itself", id), "mend the parents")
				break
			}
			path[id] = true
			id = p.Up[id]
		}
		for id := range path {
			done[id] = true
		}
	}
	r.e.Places[x.ID] = p
	return len(rows)
}

// values reads a list of plain texts. One may have several lines, each for other days.
func (r *reader) values(x rawList) int {
	columns := []string{"id", "en", "fa", "ur", "from", "until", "published", "ended", "exclude"}
	rows := r.csv("lists/", x.Lines, columns[:2], func(h string) bool { return slices.Contains(columns, h) }, strings.Join(columns, ","))
	r.e.lineFile[x.ID] = "lists/" + x.Lines
	out, at := map[string]lang.Text{}, map[string][]ValueLine{}
	lines := []ValueLine{}
	for _, row := range rows {
		id := row.get("id")
		if id == "" || !ascii(id) {
			r.fault(row.line, fmt.Sprintf("value %q is empty or is not of Latin letters without blanks", id), "write it in Latin letters")
			continue
		}
		l := ValueLine{ID: id, From: r.when(scalar{row.get("from"), row.line}), Until: r.when(scalar{row.get("until"), row.line}), Exclude: r.excluded(row), Line: row.line}
		l.Published, l.Ended = r.date(scalar{row.get("published"), row.line}), r.ended(scalar{row.get("ended"), row.line}, scalar{row.get("until"), row.line})
		if !l.Until.IsZero() && l.From.Compare(l.Until) >= 0 {
			r.fault(row.line, "ends before it begins", "put until after from")
		}
		for _, o := range at[id] {
			if !r.spend(1) {
				break
			}
			if periodsMeet(Period{From: o.From, Until: o.Until}, Period{From: l.From, Until: l.Until}) {
				r.fault(row.line, fmt.Sprintf("value %q stands twice for one day, first on line %d", id, o.Line), "write each value once, or end one line where the other begins")
				break
			}
		}
		at[id], lines = append(at[id], l), append(lines, l)
		out[id] = r.rowName(row)
	}
	r.e.Values[x.ID], r.e.ValueLines[x.ID] = out, lines
	return len(rows)
}

// excluded reads the column that takes a line out.
func (r *reader) excluded(row csvRow) bool {
	switch s := row.get("exclude"); s {
	case "", "false":
	case "true":
		return true
	default:
		r.fault(row.line, fmt.Sprintf("exclude %q", s), "write true, or leave it empty")
	}
	return false
}

func (r *reader) rowName(row csvRow) lang.Text {
	l := goods.Line{Name: lang.Text{}}
	r.names(row, &l)
	r.text(row.line, "name of "+row.get("id"), l.Name)
	return l.Name
}

// plainCode takes the dots out of a code that is written with plain digits alone.
func plainCode(s string) (string, bool) {
	code := strings.ReplaceAll(s, ".", "")
	for i := 0; i < len(code); i++ {
		if code[i] < '0' || code[i] > '9' {
			return "", false
		}
	}
	return code, len(code) >= 2 && len(code) <= 8
}

// otherDigits says so where a code has letters or digits that look like plain ones.
func otherDigits(s string) string {
	if c, ok := strange(s); ok {
		return fmt.Sprintf(": it has %U, which is no plain digit", c)
	}
	return ""
}

// table reads a decision table.
func (r *reader) table(x rawTable) {
	r.owner = x.ID
	r.id(1, "table", x.ID)
	r.declare("table", x.ID, 1)
	r.text(1, "title", trim(x.Title))
	if x.Source == "" {
		r.fault(1, "table without a source", "say which text gives it")
	}
	t := &Table{ID: x.ID, Title: trim(x.Title), Source: strings.TrimSpace(x.Source), Outputs: x.Outputs, Line: 1, File: r.file}
	r.e.Tables[x.ID] = t
	var columns []string
	for _, in := range x.Inputs {
		i := TableInput{Name: in.v.Name, Of: strings.TrimSpace(in.v.Of), Type: in.v.Type, Unit: in.v.Unit}
		if a, ok := r.e.Attributes[i.Name]; i.Of == "" && !ok {
			r.fault(in.line, fmt.Sprintf("attribute %q is not declared", i.Name), "declare it in agreement.yaml, or write of: an expression")
		} else if i.Of == "" {
			i.Type, i.Unit = a.Type, a.Unit
		} else {
			r.id(in.line, "input", i.Name)
		}
		if i.Type == "time" {
			r.fault(in.line, fmt.Sprintf("input %s is a time", i.Name), "write of: on("+i.Name+"), the date of it, or another expression")
		}
		if i.Type == TypeCertificate {
			r.fault(in.line, fmt.Sprintf("input %s is a certificate", i.Name), "write of: known("+i.Name+"), or ask it with a clause of kind certificate")
		}
		if slices.Contains(columns, i.Name) {
			r.fault(in.line, fmt.Sprintf("input %s stands twice", i.Name), "keep one of them")
		}
		columns = append(columns, i.Name)
		t.Inputs = append(t.Inputs, i)
	}
	for _, o := range t.Outputs {
		if a, ok := r.e.Attributes[o]; o != "outcome" && (!ok || !a.Derived) {
			r.fault(1, fmt.Sprintf("output %q is not a derived attribute", o), "write outcome, or declare the attribute with derived: true")
		}
		if slices.Contains(columns, o) {
			r.fault(1, fmt.Sprintf("output %s stands twice", o), "keep one of them")
		}
		columns = append(columns, o)
	}
	if len(t.Inputs) == 0 || len(t.Outputs) == 0 {
		r.fault(1, "table without inputs or without outputs", "name both")
		return
	}
	if len(t.Inputs) > maxInputs {
		r.fault(1, fmt.Sprintf("more than %d inputs", maxInputs), "split the table")
		return
	}
	if x.Rows == "" {
		x.Rows = x.ID + ".csv"
	}
	r.tableFile[x.ID] = "tables/" + x.Rows
	rows := r.csv("tables/", x.Rows, columns, func(h string) bool { return slices.Contains(columns, h) || h == "en" || h == "fa" || h == "ur" }, strings.Join(columns, ","))
	if len(rows) > maxRows {
		r.fault(rows[maxRows].line, fmt.Sprintf("more than %d rows", maxRows), "split the table, or use a list")
		return
	}
	for n := range t.Inputs {
		in := &t.Inputs[n]
		if in.Type == "" {
			in.Type = guess(rows, in.Name)
		}
		if !slices.Contains(types(), in.Type) {
			r.fault(1, fmt.Sprintf("input %s has type %q", in.Name, in.Type), "write string, int, bool, date or strings")
		}
	}
	for _, row := range rows {
		l := goods.Line{Name: lang.Text{}}
		r.names(row, &l)
		tr := TableRow{Out: map[string]string{}, Say: l.Name, Line: row.line}
		for _, in := range t.Inputs {
			c, err := parseCell(row.get(in.Name), in)
			if err != nil {
				r.fault(row.line, fmt.Sprintf("%s: %v", in.Name, err), "write - for any, a value, a|b, !a, <5, <=5, >5, >=5, 5..10, 5..<10, true, false or unknown")
			}
			if a := r.e.Attributes[in.Name]; in.Of == "" && len(a.Values) > 0 {
				for _, s := range c.Texts {
					if !slices.Contains(a.Values, s) {
						r.fault(row.line, fmt.Sprintf("%q is not a value of %s", s, in.Name), "write one of "+strings.Join(a.Values, ", "))
					}
				}
			}
			tr.Cells = append(tr.Cells, c)
		}
		for _, o := range t.Outputs {
			s := row.get(o)
			tr.Out[o] = s
			if o == "outcome" {
				if r.outcome(row.line, s, reason.Refuse) == reason.None {
					r.fault(row.line, "no outcome", "write one in each row")
				}
			} else if a, ok := r.e.Attributes[o]; ok {
				if _, err := ParseFact(a, []string{s}); err != nil {
					r.fault(row.line, fmt.Sprintf("%s: %v", o, err), "write a value of the attribute's type")
				}
			}
		}
		t.Rows = append(t.Rows, tr)
	}
}

const (
	maxInputs = 12   // of a table
	maxRows   = 1000 // of a table
)

// guess returns the type of an expression's column by what stands in it.
func guess(rows []csvRow, name string) string {
	typ := ""
	for _, row := range rows {
		s := row.get(name)
		t := "string"
		switch {
		case s == "-" || s == "unknown":
			continue
		case s == "true" || s == "false":
			t = "bool"
		default:
			if _, err := parseCell(s, TableInput{Type: "int"}); err == nil {
				t = "int"
			} else if _, err := parseCell(s, TableInput{Type: "date"}); err == nil {
				t = "date"
			}
		}
		if typ != "" && typ != t {
			return "string"
		}
		typ = t
	}
	return cmp.Or(typ, "string")
}

var errCell = errors.New("cannot be read as a cell")

// parseCell reads one cell of a table.
func parseCell(s string, in TableInput) (Cell, error) {
	bad := fmt.Errorf("%q %w of a %s", s, errCell, in.Type)
	switch s {
	case "":
		return Cell{}, bad
	case "-":
		return Cell{Any: true}, nil
	case "unknown":
		return Cell{Unknown: true}, nil
	}
	var c Cell
	switch in.Type {
	case "bool":
		if s != "true" && s != "false" {
			return Cell{}, bad
		}
		c.Texts = []string{s}
		return c, nil
	case "int", "date":
		unit := in.Unit
		if in.Type == "date" {
			unit = "date"
		}
		number := func(s string) (int64, bool) {
			minus := int64(1)
			if rest, ok := strings.CutPrefix(s, "-"); ok {
				s, minus = rest, -1
			}
			n, err := quantity(strings.TrimSpace(s), unit)
			return minus * n, err == nil
		}
		var ok1, ok2 = true, true
		switch {
		case strings.HasPrefix(s, "<="):
			c.Max, ok1 = number(s[2:])
			c.HasMax = true
		case strings.HasPrefix(s, ">="):
			c.Min, ok1 = number(s[2:])
			c.HasMin = true
		case strings.HasPrefix(s, "<"):
			c.Max, ok1 = number(s[1:])
			c.Max--
			c.HasMax = true
		case strings.HasPrefix(s, ">"):
			c.Min, ok1 = number(s[1:])
			c.Min++
			c.HasMin = true
		default:
			from, to, ranged := strings.Cut(s, "..")
			if !ranged {
				to = from
			}
			to, open := strings.CutPrefix(to, "<")
			c.Min, ok1 = number(from)
			c.Max, ok2 = number(to)
			if open {
				c.Max--
			}
			c.HasMin, c.HasMax = true, true
			if c.Min > c.Max {
				return Cell{}, bad
			}
		}
		if !ok1 || !ok2 {
			return Cell{}, bad
		}
		return c, nil
	}
	s, c.Not = strings.CutPrefix(s, "!")
	for t := range strings.SplitSeq(s, "|") {
		if t = strings.TrimSpace(t); t == "" || slices.Contains(c.Texts, t) {
			return Cell{}, bad
		}
		c.Texts = append(c.Texts, t)
	}
	return c, nil
}

type csvRow struct {
	line  int
	head  []string
	cells []string // beside head
}

// get returns the cell of a column, empty where there is no such column.
func (w csvRow) get(column string) string {
	if i := slices.Index(w.head, column); i >= 0 {
		return w.cells[i]
	}
	return ""
}

// csv reads a file beside, with a first line that names its columns: those of need, and
// others where may says so, in any order and each once.
func (r *reader) csv(dir, name string, need []string, may func(string) bool, columns string) []csvRow {
	p := dir + name
	b, ok := r.files[p]
	if name == "" || strings.Contains(name, "/") || !ok {
		r.fault(1, fmt.Sprintf("no file %q beside", name), "name a CSV file of "+dir+" with the columns "+columns)
		return nil
	}
	r.file = p
	c := csv.NewReader(bytes.NewReader(b))
	c.ReuseRecord = true
	record, err := c.Read()
	if err == io.EOF {
		err = errors.New("empty")
	}
	head := slices.Clone(record)
	if err == nil {
		for i, h := range head {
			if slices.Contains(head[:i], h) {
				err = fmt.Errorf("column %q stands twice", h)
			} else if !may(h) {
				err = fmt.Errorf("columns are not known: %q", h)
			}
		}
		for _, h := range need {
			if err == nil && !slices.Contains(head, h) {
				err = fmt.Errorf("column %q is missing", h)
			}
		}
		if len(head) > maxColumns {
			err = fmt.Errorf("more than %d columns", maxColumns)
		}
	}
	var rows []csvRow
	for err == nil {
		var rec []string
		if rec, err = c.Read(); err != nil {
			break
		}
		line, _ := c.FieldPos(0)
		row := csvRow{line, head, make([]string, len(rec))}
		for i, s := range rec {
			if s = strings.TrimSpace(s); len(s) > 400 {
				r.fault(line, "a cell of more than 400 bytes", "shorten it")
				s = ""
			}
			row.cells[i] = s
		}
		r.lines++
		if rows = append(rows, row); r.lines > maxLines {
			err = fmt.Errorf("more than %d lines in the CSV files of the package", maxLines)
		}
	}
	if err == io.EOF {
		return rows
	}
	line := 1
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		line, err = pe.Line, pe.Err
	}
	r.fault(line, "cannot be read as CSV: "+err.Error(), "write the columns "+columns)
	return nil
}

const maxColumns = 60

func (r *reader) schedule(x rawSchedule) {
	r.owner = x.Site
	site, ok := r.e.Site(x.Site)
	if !ok {
		r.fault(1, fmt.Sprintf("site %q is not known", x.Site), "name a site of agreement.yaml")
		return
	}
	r.declare("schedule of", x.Site, 1)
	if x.Source == "" {
		r.fault(1, "schedule without a source", "say which text gives the hours")
	}
	h := calendar.Hours{Zone: site.Zone}
	for _, w := range x.Hours {
		r.class(w.line, w.v.Class)
		r.direction(w.line, w.v.Direction)
		y := calendar.Weekly{Class: w.v.Class, Direction: w.v.Direction, From: r.date(w.v.From), Until: r.date(w.v.Until),
			Published: r.date(w.v.Published), Ended: r.ended(w.v.Ended, w.v.Until)}
		if y.DaysUnknown = r.unknown(w.v.Days, w.line, "days", "[tuesday, friday]"); !y.DaysUnknown {
			y.Days = r.days(w.line, w.v.Days.strings())
		}
		if y.HoursUnknown = r.unknown(w.v.Open, w.line, "open", `["08:00-16:00"]`); !y.HoursUnknown {
			y.Spans = r.spans(w.line, w.v.Open.strings())
		}
		if w.v.Season.text != "" {
			var err error
			if y.Season, err = calendar.ParseSeason(w.v.Season.text); err != nil {
				r.fault(w.line, fmt.Sprintf("season %q", w.v.Season.text), `write the first and the last day of it, such as "03-01/09-30"; 02-29 is the end of February in any year`)
			}
		}
		h.Weekly = append(h.Weekly, y)
	}
	for _, y := range x.Exceptions {
		r.class(y.line, y.v.Class)
		r.direction(y.line, y.v.Direction)
		if y.v.Source == "" {
			r.fault(y.line, "exception without a source", "say which text gives it")
		}
		h.Exceptions = append(h.Exceptions, calendar.Exception{On: r.date(y.v.On), Class: y.v.Class, Direction: y.v.Direction, Closed: y.v.Closed, Spans: r.spans(y.line, y.v.Open), Published: r.date(y.v.Published)})
	}
	r.dated(site, x.Hours, h.Weekly)
	day := func(d calendar.Date) (m Moment) {
		if !d.IsZero() {
			m = Day(d)
		}
		return m
	}
	var lines []entry
	for n, w := range h.Weekly {
		lines = append(lines, entry{w.Class + " " + w.Direction, finish{Period{From: day(w.From), Until: day(w.Until), Published: w.Published, Ended: w.Ended}, x.Hours[n].line, false}})
	}
	r.unsaidLines("the entry", lines)
	for _, w := range h.Weekly {
		r.e.turning[x.Site] = append(r.e.turning[x.Site], w.From, w.Until)
	}
	s, err := calendar.NewSchedule(h)
	if err != nil {
		r.fault(1, err.Error(), "mend the hours; spans are half-open and do not overlap")
		return
	}
	r.e.Schedules[x.Site] = s
	for _, y := range x.Slots {
		r.slots(y.line, x.Site, y.v)
	}
}

// unknown reports whether a list is written as unknown, and faults another single value.
func (r *reader) unknown(t texts, line int, field, list string) bool {
	if t.many || t.text == "" {
		return false
	}
	is := t.text == "unknown"
	if !is {
		r.fault(line, fmt.Sprintf("%s %q is not a list", field, t.text), "write "+list+", or unknown where no text that was read has it")
	}
	return is
}

func (r *reader) slots(line int, site string, x rawSlots) {
	r.class(line, x.Class)
	if x.Class == "" {
		r.fault(line, "slots for no class", "name the class")
	}
	rule := SlotRule{Class: x.Class, Days: r.days(line, x.Days), Minutes: x.Minutes, Capacity: x.Capacity, Shares: x.Shares,
		Begins: r.date(x.Begins), Ends: r.date(x.Ends), From: r.minute(x.From), To: r.minute(x.To)}
	if !rule.Ends.IsZero() && !rule.Begins.Before(rule.Ends) {
		r.fault(line, "ends before it begins", "put ends after begins")
	}
	if rule.From >= rule.To {
		r.fault(line, "the first slot begins after the last ends", "put from before to")
		return
	}
	if x.Minutes < 1 || x.Minutes > int(calendar.EndOfDay) || int(rule.To-rule.From)%max(x.Minutes, 1) != 0 {
		r.fault(line, "the time does not divide into slots", "choose minutes that divide the time from first to last")
		return
	}
	if int(rule.To-rule.From)/x.Minutes > maxSlotsDay {
		r.fault(line, fmt.Sprintf("more than %d slots a day", maxSlotsDay), "make them longer")
	}
	sum := 0
	for s, n := range x.Shares {
		if !s.Valid() || n < 0 {
			r.fault(line, fmt.Sprintf("share of side %q", s), "write shares of A and B, from 0 to 100")
		}
		sum += n
	}
	if sum > 100 {
		r.fault(line, fmt.Sprintf("shares add up to %d %%", sum), "let them add up to 100 at most")
	}
	if _, ok := r.e.Parameters[x.Capacity]; !ok {
		r.fault(line, fmt.Sprintf("capacity %q is not a parameter", x.Capacity), "declare it in parameters/")
	} else if u := r.e.Parameters[x.Capacity].Unit; u != "count" {
		r.fault(line, fmt.Sprintf("capacity %q counts %s", x.Capacity, u), "use a parameter of unit count")
	}
	for _, o := range r.e.Slots[site] {
		if o.Class == rule.Class && o.From < rule.To && rule.From < o.To && daysMeet(o.Days, rule.Days) &&
			(o.Ends.IsZero() || rule.Begins.Before(o.Ends)) && (rule.Ends.IsZero() || o.Begins.Before(rule.Ends)) {
			r.fault(line, fmt.Sprintf("slots of %s overlap others of the site", x.Class), "let one begin where the other ends")
		}
	}
	r.e.Slots[site] = append(r.e.Slots[site], rule)
	r.e.turning[site] = append(r.e.turning[site], rule.Begins, rule.Ends)
}

func daysMeet(a, b []time.Weekday) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for _, d := range a {
		if slices.Contains(b, d) {
			return true
		}
	}
	return false
}

func (r *reader) class(line int, id string) {
	if _, ok := r.e.Class(id); id != "" && !ok {
		r.fault(line, fmt.Sprintf("class %q is not known", id), "name a class of agreement.yaml")
	}
}

func (r *reader) direction(line int, s string) {
	if s != "" && s != "in" && s != "out" {
		r.fault(line, fmt.Sprintf("direction %q", s), "write in or out, or leave it out for both")
	}
}

func (r *reader) days(line int, names []string) []time.Weekday {
	var out []time.Weekday
	for _, n := range names {
		d, ok := calendar.ParseWeekday(n)
		if !ok || slices.Contains(out, d) {
			r.fault(line, fmt.Sprintf("day %q", n), "write each day once, such as tuesday")
			continue
		}
		out = append(out, d)
	}
	return out
}

func (r *reader) spans(line int, texts []string) []calendar.Span {
	var out []calendar.Span
	for _, s := range texts {
		a, b, ok := strings.Cut(s, "-")
		from, err1 := calendar.ParseMinute(a)
		to, err2 := calendar.ParseMinute(b)
		if !ok || err1 != nil || err2 != nil || from >= to {
			r.fault(line, fmt.Sprintf("hours %q", s), "write 08:00-16:00; what goes past midnight is two spans")
			continue
		}
		out = append(out, calendar.Span{From: from, To: to})
	}
	return out
}

func (r *reader) minute(s scalar) calendar.Minute {
	m, err := calendar.ParseMinute(s.text)
	if err != nil {
		r.fault(s.line, fmt.Sprintf("%q is not a time of day", s.text), "write hh:mm")
	}
	return m
}

func (r *reader) scenario(line int, x rawScenario) {
	r.owner = x.ID
	r.declare("scenario", x.ID, line)
	s := Scenario{ID: x.ID, Title: x.Title, Point: x.Point, At: r.moment(x.At), Site: x.Site, Side: x.Side, Known: r.known(x.Known, x.Site), Facts: r.facts(x.Facts),
		Events: r.events(x.Site, x.Events), File: r.file, Line: line}
	if x.ID == "" || x.Title == "" {
		r.fault(line, "scenario without an id or a title", "name it and say what it shows")
	}
	if !slices.Contains(points(), x.Point) {
		r.fault(line, fmt.Sprintf("point %q is not known", x.Point), "write "+strings.Join(points(), ", "))
	}
	if len(x.Asks) == 0 {
		r.fault(line, "scenario asks nothing", "add asks: with what is expected")
	}
	for _, l := range x.Lots {
		n, err := quantity(l.v.Value.text, r.e.Currency)
		if err != nil {
			r.fault(l.line, err.Error(), "write the value of the lot in "+r.e.Currency)
		}
		s.Lots = append(s.Lots, ScenarioLot{l.v.Category, n, l.v.Regime, l.v.Site})
	}
	for _, a := range x.Asks {
		o := r.outcome(a.line, a.v.Expect.Outcome, reason.Refuse)
		if o == 0 {
			r.fault(a.line, "no expected outcome", "write expect: outcome")
		}
		site := cmp.Or(a.v.Site, x.Site)
		ask := ScenarioAsk{Site: a.v.Site, At: r.moment(a.v.At), Known: r.known(a.v.Known, site), Facts: r.facts(a.v.Facts), Events: r.events(site, a.v.Events), Expect: Expect{
			Outcome: o, Clauses: a.v.Expect.Clauses, Not: a.v.Expect.Not, Questions: a.v.Expect.Questions, Missing: a.v.Expect.Missing, Conditions: a.v.Expect.Conditions,
			Amounts: r.amounts(a.line, a.v.Expect.Amounts), Total: r.amounts(a.line, a.v.Expect.Total),
		}}
		for _, c := range a.v.Expect.Codes {
			ask.Expect.Codes = append(ask.Expect.Codes, reasonCode(c))
		}
		for _, c := range slices.Concat(a.v.Expect.Clauses, a.v.Expect.Not, a.v.Expect.Conditions) {
			if r.e.Clause(c) == nil && !r.lost["clauses"] {
				r.fault(a.line, fmt.Sprintf("expects clause %q, which is not there", c), "name a clause of clauses/")
			}
		}
		for _, site := range []string{x.Site, a.v.Site} {
			if _, ok := r.e.Site(site); site != "" && !ok {
				r.fault(a.line, fmt.Sprintf("site %q is not known", site), "name a site of agreement.yaml")
			}
		}
		s.Asks = append(s.Asks, ask)
	}
	r.e.Tests = append(r.e.Tests, s)
}

func (r *reader) amounts(line int, raw []rawAmount) []ExpectAmount {
	var out []ExpectAmount
	for _, a := range raw {
		x := ExpectAmount{Name: a.Name, Of: a.Of, Unknown: a.Value.text == "unknown", Absent: a.Absent}
		if a.Absent && (a.Value.text != "" || a.Currency != "") {
			r.fault(line, a.Name+": absent, and yet with a value", "take out one of them")
		}
		if !x.Unknown && !a.Absent {
			currency := a.Currency
			if currency == "" {
				currency = r.e.Currency
			}
			n, err := quantity(a.Value.text, currency)
			if err != nil {
				r.fault(line, a.Name+": "+err.Error(), `write the amount, "unknown" where it is owed and not known, or absent: true where it must not be there`)
			}
			x.Minor = n
		}
		out = append(out, x)
	}
	return out
}

// moment reads an instant with its offset from UTC.
func (r *reader) moment(s scalar) time.Time {
	if s.text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s.text)
	if err != nil {
		r.fault(s.line, fmt.Sprintf("%q is not an instant", s.text), "write 2025-09-02T10:00:00+05:00")
	}
	return t.UTC()
}

// known reads an instant, or a day: the last second of it by the clock of the site.
func (r *reader) known(s scalar, site string) time.Time {
	if d, err := calendar.ParseDate(s.text); err == nil {
		return d.AddDays(1).Start(r.clock(site)).Add(-time.Second).UTC()
	}
	return r.moment(s)
}

// facts reads values by the types of their attributes.
func (r *reader) facts(raw map[string]texts) map[string]any {
	out := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(raw)) {
		if v, ok := r.fact(k, raw[k]); ok {
			out[k] = v
		}
	}
	return out
}

func (r *reader) fact(id string, t texts) (any, bool) {
	a, ok := r.e.Attributes[id]
	if !ok {
		r.fault(t.line, fmt.Sprintf("attribute %q is not declared", id), "declare it in agreement.yaml")
		return nil, false
	}
	if a.Derived {
		r.fault(t.line, fmt.Sprintf("%s is derived, and nobody gives it", id), "take it out, or give what it is derived from")
		return nil, false
	}
	if t.many && a.Type != "strings" {
		r.fault(t.line, fmt.Sprintf("%s: a list for a %s", id, a.Type), "write a single value")
		return nil, false
	}
	v, err := ParseFact(a, t.strings())
	if err != nil {
		r.fault(t.line, fmt.Sprintf("%s: %v", id, err), "write "+a.form())
		return nil, false
	}
	return v, true
}

// form says in words how a value of an attribute is written.
func (a Attribute) form() string {
	switch {
	case len(a.Values) > 0:
		return "one of " + strings.Join(a.Values, ", ")
	case a.Type == "int" && Digits(a.Unit) > 0:
		return fmt.Sprintf("a plain number with at most %d decimals, without %s", Digits(a.Unit), a.Unit)
	case a.Type == "int":
		return "a whole number in digits"
	case a.Type == "bool":
		return "true or false"
	case a.Type == "time":
		return "an instant with its offset, such as 2025-09-02T10:00:00+05:00"
	case a.Type == "date":
		return "a day, such as 2025-09-02"
	case a.Type == TypeCertificate:
		return `a certificate in JSON, such as {"payload": {"v": [{"dt": "2021-06-01"}]}}`
	}
	return "a text"
}

// ErrFact is the error of a text that is not a value of an attribute.
var ErrFact = errors.New("is not a value of the attribute")

// ParseFact reads a value of an attribute as packages and forms write it: one text, or
// any number for a set of texts. The value is a string, an int64 in the attribute's
// unit as Digits counts it, a bool, a time.Time in UTC, a calendar.Date, a sorted
// []string without doubles, or a *certlogic.Certificate.
func ParseFact(a Attribute, texts []string) (any, error) {
	text := ""
	if len(texts) == 1 {
		text = texts[0]
	}
	bad := fmt.Errorf("%q %w: want %s", text, ErrFact, a.form())
	if a.Type == "strings" {
		out := slices.Clone(texts)
		slices.Sort(out)
		out = slices.Compact(out)
		for _, s := range out {
			if len(a.Values) > 0 && !slices.Contains(a.Values, s) {
				return nil, fmt.Errorf("%q is not one of %s: %w", s, strings.Join(a.Values, ", "), ErrFact)
			}
		}
		if out == nil {
			out = []string{}
		}
		return out, nil
	}
	if len(texts) != 1 {
		return nil, bad
	}
	switch a.Type {
	case "string":
		if len(a.Values) > 0 && !slices.Contains(a.Values, text) {
			return nil, fmt.Errorf("%q is not one of %s: %w", text, strings.Join(a.Values, ", "), ErrFact)
		}
		return text, nil
	case "bool":
		if text == "true" || text == "false" {
			return text == "true", nil
		}
	case "int":
		var n int64
		var err error
		if Digits(a.Unit) > 0 {
			n, err = quantity(text, a.Unit)
		} else {
			n, err = strconv.ParseInt(text, 10, 64)
		}
		if err == nil {
			return n, nil
		}
	case "time":
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC(), nil
		}
	case "date":
		if d, err := calendar.ParseDate(text); err == nil {
			return d, nil
		}
	case TypeCertificate:
		c, err := certlogic.ParseCertificate([]byte(text))
		if err == nil {
			return c, nil
		}
		return nil, fmt.Errorf("%w %w: want %s", err, ErrFact, a.form()) // without what it says
	}
	return nil, bad
}

// events reads what happened before. A day alone is the start of it by the clock of
// the site where it happened, or else of the question's.
func (r *reader) events(site string, raw map[string][]at[map[string]texts]) map[string][]ScenarioEvent {
	if raw == nil {
		return nil
	}
	out := map[string][]ScenarioEvent{}
	for _, kind := range slices.Sorted(maps.Keys(raw)) {
		k, ok := r.e.Events[kind]
		if !ok {
			line := 1
			if len(raw[kind]) > 0 {
				line = raw[kind][0].line
			}
			r.fault(line, fmt.Sprintf("event %q is not declared", kind), "declare it under events in agreement.yaml")
			continue
		}
		out[kind] = []ScenarioEvent{}
		for _, x := range raw[kind] {
			e := ScenarioEvent{Facts: map[string]any{}, Site: x.v["site"].text}
			if _, ok := r.e.Site(e.Site); e.Site != "" && !ok {
				r.fault(x.line, fmt.Sprintf("site %q is not known", e.Site), "name a site of agreement.yaml")
			}
			switch at, on := x.v["at"], x.v["on"]; {
			case at.text == "" && on.text == "" && kind == EventProof && x.v["proof.earliest"].text != "" && x.v["proof.latest"].text != "":
			case (at.text == "") == (on.text == ""):
				r.fault(x.line, "event without a time, or with two", "write at: an instant, or on: a day")
			case at.text != "":
				e.At = r.moment(at.scalar)
			default:
				if d := r.date(on.scalar); !d.IsZero() {
					e.At = d.Start(r.clock(cmp.Or(e.Site, site))).UTC()
				}
			}
			for _, f := range slices.Sorted(maps.Keys(x.v)) {
				switch {
				case slices.Contains(eventFields(), f):
				case !slices.Contains(k.Fields, f):
					r.fault(x.line, fmt.Sprintf("event %s has no field %q", kind, f), "write one of "+strings.Join(k.Fields, ", ")+", or add it to the event")
				default:
					if v, ok := r.fact(f, x.v[f]); ok {
						e.Facts[f] = v
					}
				}
			}
			out[kind] = append(out[kind], e)
		}
	}
	return out
}

// clock is that of a site, or of the edition.
func (r *reader) clock(site string) *time.Location {
	zone := r.e.Zone
	if s, ok := r.e.Site(site); ok {
		zone = s.Zone
	}
	loc, err := calendar.Zone(zone)
	if err != nil {
		return time.UTC // faulted where the zone stands
	}
	return loc
}

// keys reads the public keys of the sides, and the certificates and signatures that
// lie beside. None of them is trusted here.
func (r *reader) keys() {
	for _, p := range r.in("keys", ".yaml") {
		side := Side(strings.TrimSuffix(path.Base(p), ".yaml"))
		party, ok := r.e.Parties[side]
		var raw rawKeys
		if !r.decode(p, &raw) {
			continue
		}
		if !ok {
			r.fault(1, "keys of nobody", "name the file A.yaml or B.yaml")
			continue
		}
		var err error
		if party.Keys.Root, err = base64.StdEncoding.Strict().DecodeString(raw.Root); err != nil || parseRoot(party.Keys.Root) == nil {
			r.fault(1, "root is not a P-256 public key", "write the uncompressed point in base64")
			party.Keys.Root = nil
		}
		if party.Keys.Exchange, err = base64.StdEncoding.Strict().DecodeString(raw.Exchange); err != nil || len(party.Keys.Exchange) != 32 {
			r.fault(1, "exchange is not an X25519 public key", "write its 32 bytes in base64")
			party.Keys.Exchange = nil
		}
		if party.Keys.Log = raw.Log; len(raw.Log) > 200 || strings.Count(raw.Log, "+") < 2 {
			r.fault(1, "log is not the verifier key of a signed note", "write name+hash+key")
		}
		if party.Keys.Cosigner = raw.Cosigner; raw.Cosigner != "" && (len(raw.Cosigner) > 200 || strings.Count(raw.Cosigner, "+") < 2) {
			r.fault(1, "cosigner is not a verifier key of cosignatures", "write name+hash+key")
		}
		r.e.Parties[side] = party
	}
	if a := r.e.Parties[A].Keys.Root; a != nil && bytes.Equal(a, r.e.Parties[B].Keys.Root) {
		r.file, r.owner = "keys/B.yaml", ""
		r.fault(1, "both sides have one root key, so that one could sign for both", "let each side make its own")
	}
	for _, p := range r.in("keys", ".cert") {
		r.e.Certificates = append(r.e.Certificates, r.files[p])
	}
	for _, p := range r.in("signatures", ".sig") {
		name := strings.TrimSuffix(path.Base(p), ".sig")
		side := Side(name)
		if len(name) == 3 && Side(name[:1]).Valid() && name[1] == '-' && '1' <= name[2] && name[2] <= '9' {
			if r.e.Signers == nil {
				r.e.Signers = map[string][]byte{}
			}
			r.e.Signers[name] = r.files[p]
			continue
		}
		if !side.Valid() {
			r.faults = append(r.faults, Fault{File: p, What: "signature of nobody", Mend: "name the file A.sig, or A-1.sig to A-9.sig for people, with A or B"})
			continue
		}
		r.e.Signatures[side] = r.files[p]
	}
}
