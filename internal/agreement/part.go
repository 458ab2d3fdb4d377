// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
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
	"darwaza.dev/internal/goods"
	"darwaza.dev/internal/lang"
)

const (
	maxLines    = 20000 // of a list
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
	info := ListInfo{ID: x.ID, Title: trim(x.Title), Source: strings.TrimSpace(x.Source), Absent: x.Absent, Items: x.Items,
		Rates: map[string]string{}, Categories: map[string]lang.Text{}, Line: 1, File: file}
	for _, k := range slices.Sorted(maps.Keys(x.Categories)) {
		r.text(1, "name of category "+k, trim(x.Categories[k].Name))
		info.Rates[k], info.Categories[k] = x.Categories[k].Rate, trim(x.Categories[k].Name)
	}
	r.e.ListInfo[x.ID] = info
	if x.Absent {
		if x.Lines != "" || x.Names != "" {
			r.fault(1, "absent, and yet with lines", "take out absent, or the lines")
		}
		return
	}

	rows := r.csv(x.Lines, []string{"code", "category", "rate"})
	var lines []goods.Line
	at := map[string]int{} // code → index in lines
	for _, row := range rows {
		rate, err := quantity(row.cell[2], "percent")
		if err != nil {
			r.fault(row.line, "rate: "+err.Error(), "write a number of percent, such as 5 or 7.5")
		}
		code := strings.Replace(row.cell[0], ".", "", 1)
		if !eightDigits(code) {
			r.fault(row.line, fmt.Sprintf("code %q is not eight digits", row.cell[0]), "write it as 0702.0000")
			continue
		}
		if _, twice := at[code]; twice {
			r.fault(row.line, fmt.Sprintf("code %s stands twice", row.cell[0]), "keep one line of it")
			continue
		}
		if _, ok := info.Categories[row.cell[1]]; !ok && row.cell[1] != "" {
			r.fault(row.line, fmt.Sprintf("category %q is not declared", row.cell[1]), "declare it in "+path.Base(file))
		}
		at[code] = len(lines)
		lines = append(lines, goods.Line{Code: code, Category: row.cell[1], Rate: rate, Name: lang.Text{}})
	}
	for _, row := range r.csv(x.Names, []string{"code", "unit", "icon", "en", "fa", "ur", "words"}) {
		i, ok := at[strings.Replace(row.cell[0], ".", "", 1)]
		if !ok {
			r.fault(row.line, fmt.Sprintf("code %q is not on the list", row.cell[0]), "take the line out")
			continue
		}
		l := &lines[i]
		if l.Unit != "" {
			r.fault(row.line, fmt.Sprintf("code %q is named twice", row.cell[0]), "keep one line of it")
			continue
		}
		l.Unit, l.Icon = row.cell[1], row.cell[2]
		for j, tag := range lang.Tags {
			if s := row.cell[3+j]; s != "" {
				l.Name[tag] = s
			}
		}
		for w := range strings.SplitSeq(row.cell[6], "|") {
			if w = strings.TrimSpace(w); w != "" {
				l.Words = append(l.Words, w)
			}
		}
		r.text(row.line, "name of "+row.cell[0], l.Name)
		if l.Unit == "" {
			r.fault(row.line, "good without a unit", "write kg, litre, piece or another")
		}
	}
	r.file = file
	for _, l := range lines {
		if l.Unit == "" {
			r.fault(1, "no name for "+goods.FormatCode(l.Code), "add a line to "+x.Names)
		}
	}
	if x.Items != 0 && x.Items != len(lines) {
		r.fault(1, fmt.Sprintf("%d lines where the text has %d", len(lines), x.Items), "compare the list with the text")
	}
	l, err := goods.NewList(x.ID, info.Title, lines)
	if err != nil {
		r.fault(1, err.Error(), "mend the list")
		return
	}
	if r.e.Lists == nil {
		r.e.Lists = map[string]*goods.List{}
	}
	r.e.Lists[x.ID] = l
}

func eightDigits(s string) bool {
	if len(s) != 8 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

type csvRow struct {
	line int
	cell []string
}

// csv reads a file of lists/ with the given columns, all of them, in that order.
func (r *reader) csv(name string, columns []string) []csvRow {
	p := "lists/" + name
	b, ok := r.files[p]
	if name == "" || strings.Contains(name, "/") || !ok {
		r.fault(1, fmt.Sprintf("no file %q beside", name), "name a CSV file of lists/ with the columns "+strings.Join(columns, ","))
		return nil
	}
	r.file = p
	c := csv.NewReader(bytes.NewReader(b))
	c.FieldsPerRecord = len(columns)
	head, err := c.Read()
	if err == nil && !slices.Equal(head, columns) {
		err = errors.New("columns are not " + strings.Join(columns, ","))
	}
	var rows []csvRow
	for err == nil {
		var rec []string
		if rec, err = c.Read(); err != nil {
			break
		}
		line, _ := c.FieldPos(0)
		for i := range rec {
			rec[i] = strings.TrimSpace(rec[i])
			if len(rec[i]) > 400 {
				r.fault(line, "a cell of more than 400 bytes", "shorten it")
				rec[i] = ""
			}
		}
		if rows = append(rows, csvRow{line, rec}); len(rows) > maxLines {
			err = fmt.Errorf("more than %d lines", maxLines)
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
	r.fault(line, "cannot be read as CSV: "+err.Error(), "write "+strings.Join(columns, ","))
	return nil
}

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
		h.Weekly = append(h.Weekly, calendar.Weekly{Class: w.v.Class, Direction: w.v.Direction, Days: r.days(w.line, w.v.Days), Spans: r.spans(w.line, w.v.Open)})
	}
	for _, y := range x.Exceptions {
		r.class(y.line, y.v.Class)
		r.direction(y.line, y.v.Direction)
		if y.v.Source == "" {
			r.fault(y.line, "exception without a source", "say which text gives it")
		}
		h.Exceptions = append(h.Exceptions, calendar.Exception{On: r.date(y.v.On), Class: y.v.Class, Direction: y.v.Direction, Closed: y.v.Closed, Spans: r.spans(y.line, y.v.Open)})
	}
	s, err := calendar.NewSchedule(h)
	if err != nil {
		r.fault(1, err.Error(), "mend the hours; spans are half-open and do not overlap")
		return
	}
	r.e.Schedules[x.Site] = s
	// The weekdays on which anybody may come in, for limits on their number.
	week := map[string]int{}
	for _, c := range append([]Class{{}}, r.e.Classes...) {
		days := map[time.Weekday]bool{}
		for _, w := range h.Weekly {
			if (w.Class == c.ID || w.Class == "") && len(w.Spans) > 0 {
				ds := w.Days
				if len(ds) == 0 {
					ds = []time.Weekday{0, 1, 2, 3, 4, 5, 6}
				}
				for _, d := range ds {
					days[d] = true
				}
			}
		}
		week[c.ID] = len(days)
	}
	r.e.weekly[x.Site] = week
	for _, y := range x.Slots {
		r.slots(y.line, x.Site, y.v)
	}
}

func (r *reader) slots(line int, site string, x rawSlots) {
	r.class(line, x.Class)
	if x.Class == "" {
		r.fault(line, "slots for no class", "name the class")
	}
	rule := SlotRule{Class: x.Class, Days: r.days(line, x.Days), Minutes: x.Minutes, Capacity: x.Capacity, Shares: x.Shares,
		From: r.minute(x.From), To: r.minute(x.To)}
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
		if o.Class == rule.Class && o.From < rule.To && rule.From < o.To && daysMeet(o.Days, rule.Days) {
			r.fault(line, fmt.Sprintf("slots of %s overlap others of the site", x.Class), "let one begin where the other ends")
		}
	}
	r.e.Slots[site] = append(r.e.Slots[site], rule)
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
	s := Scenario{ID: x.ID, Title: x.Title, Point: x.Point, At: r.moment(x.At), Site: x.Site, Side: x.Side, Facts: r.facts(x.Facts), File: r.file, Line: line}
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
		o := r.outcome(a.line, a.v.Expect.Outcome)
		if o == 0 {
			r.fault(a.line, "no expected outcome", "write expect: outcome")
		}
		ask := ScenarioAsk{Site: a.v.Site, At: r.moment(a.v.At), Facts: r.facts(a.v.Facts), Expect: Expect{
			Outcome: o, Clauses: a.v.Expect.Clauses, Not: a.v.Expect.Not, Questions: a.v.Expect.Questions, Missing: a.v.Expect.Missing,
			Amounts: r.amounts(a.line, a.v.Expect.Amounts), Total: r.amounts(a.line, a.v.Expect.Total),
		}}
		for _, c := range a.v.Expect.Codes {
			ask.Expect.Codes = append(ask.Expect.Codes, reasonCode(c))
		}
		for _, c := range slices.Concat(a.v.Expect.Clauses, a.v.Expect.Not) {
			if r.e.Clause(c) == nil {
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
		x := ExpectAmount{Name: a.Name, Of: a.Of, Unknown: a.Value.text == "unknown"}
		if !x.Unknown {
			currency := a.Currency
			if currency == "" {
				currency = r.e.Currency
			}
			n, err := quantity(a.Value.text, currency)
			if err != nil {
				r.fault(line, a.Name+": "+err.Error(), `write the amount, or "unknown"`)
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

// facts reads values by the types of their attributes.
func (r *reader) facts(raw map[string]scalar) map[string]any {
	out := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(raw)) {
		s := raw[k]
		a, ok := r.e.Attributes[k]
		if !ok {
			r.fault(s.line, fmt.Sprintf("attribute %q is not declared", k), "declare it in agreement.yaml")
			continue
		}
		var err error
		switch a.Type {
		case "string":
			out[k] = s.text
		case "bool":
			out[k] = s.text == "true"
			if s.text != "true" && s.text != "false" {
				err = errors.New("want true or false")
			}
		case "int":
			var n int64
			if isCurrency(a.Unit) {
				n, err = quantity(s.text, a.Unit)
			} else {
				n, err = strconv.ParseInt(s.text, 10, 64)
			}
			out[k] = n
		case "time":
			out[k] = r.moment(s)
		}
		if err != nil {
			r.fault(s.line, fmt.Sprintf("%s: %q is not a %s", k, s.text, a.Type), "write a value of the attribute's type")
			delete(out, k)
		}
	}
	return out
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
