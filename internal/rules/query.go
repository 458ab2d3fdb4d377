// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/problem"
)

// A question as JSON, which the command line, the server and the browser share:
//
//	{"point": "goods", "at": "2025-09-02T05:00:00Z", "site": "mand-pishin", "side": "A",
//	 "facts": {"good.code": "07020000", "good.value": 3000, "vendor.card": false,
//	           "slot.from": "2025-09-02T04:00:00Z", "dose.on": "2023-09-01", "papers": ["visa"],
//	           "proof": {"payload": {"v": [{"dt": "2021-06-01"}]}, "issuer": "XB"}},
//	 "events": {"trip": [{"at": "2025-08-30T05:00:00Z", "site": "mand-pishin", "facts": {}}]},
//	 "lots": [{"category": "I", "value": 3000, "regime": "concession", "site": "mand-pishin"}]}
//
// "agreement" is the id of the one agreement that is asked. Numbers are whole, in the smallest part of their unit. Times and dates are texts, read
// by the type of the attribute. "known" is an instant as "at" is, or a day, which is its last
// second by the clock of the site. What is not known is left out.

// MaxQuery is the most bytes that a question may have.
const MaxQuery = 1 << 20

type jsonQuery struct {
	Point  Point                  `json:"point"`
	At     string                 `json:"at"`
	Known  string                 `json:"known"`
	Site   string                 `json:"site"`
	Side   string                 `json:"side"`
	Facts  map[string]any         `json:"facts"`
	Events map[string][]jsonEvent `json:"events"`
	Lots   []jsonLot              `json:"lots"`

	Agreement string `json:"agreement"`
}

type jsonEvent struct {
	At    string         `json:"at"`
	Site  string         `json:"site"`
	Facts map[string]any `json:"facts"`
}

type jsonLot struct {
	Category string `json:"category"`
	Value    int64  `json:"value"`
	Regime   string `json:"regime"`
	Site     string `json:"site"`
}

// ParseQuery reads a question. Facts are read by the types that the editions in force at
// its instant declare; a fact of another type is a problem of kind invalid that names
// it. A fact that the edition does not declare is read as it is written: whoever answers
// passes over it.
func (l *Law) ParseQuery(b []byte) (Query, error) {
	if len(b) > MaxQuery {
		return Query{}, problem.New(problem.Limit, "query.size")
	}
	return parseQuery(b, l.asked, false)
}

// parseQuery reads a question by the declarations of the editions that law returns for
// it. A lenient reading leaves out facts that are not of their type.
func parseQuery(b []byte, law func(*Query) []*compiled, lenient bool) (Query, error) {
	var j jsonQuery
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Query{}, problem.Wrap(problem.Invalid, "query.form", err)
	}
	if d.More() {
		return Query{}, problem.Newf(problem.Invalid, "query.form", "something after the question")
	}
	return j.query(law, lenient)
}

func (j jsonQuery) query(law func(*Query) []*compiled, lenient bool) (q Query, err error) {
	q = Query{Point: j.Point, Site: j.Site, Side: j.Side, Agreement: j.Agreement}
	if !slices.Contains(points(), j.Point) {
		return q, bad("point", "is none of the points at which a question is asked")
	}
	if j.Side != "" && j.Side != "A" && j.Side != "B" {
		return q, bad("side", "is neither A nor B")
	}
	if q.At, err = time.Parse(time.RFC3339, j.At); err != nil {
		return q, bad("at", "is no instant such as 2025-09-02T10:00:00+05:00")
	}
	q.At = q.At.UTC()
	if j.Known != "" {
		if d, dayErr := calendar.ParseDate(j.Known); dayErr == nil {
			q.Known = endOf(d, law(&q), q.Site)
		} else if q.Known, err = time.Parse(time.RFC3339, j.Known); err != nil {
			return q, bad("known", "is neither an instant such as 2025-09-02T10:00:00+05:00 nor a day such as 2025-09-02")
		}
		q.Known = q.Known.UTC()
	}
	editions := law(&q)
	typ := func(name string) string {
		for _, c := range editions {
			if a, ok := c.e.Attributes[name]; ok {
				return a.Type
			}
		}
		return ""
	}
	if q.Facts, err = facts(j.Facts, typ, "facts.", lenient); err != nil {
		return q, err
	}
	for _, kind := range sortedKeys(j.Events) {
		if q.Events == nil {
			q.Events = map[string][]Event{}
		}
		q.Events[kind] = make([]Event, 0, len(j.Events[kind]))
		for i, x := range j.Events[kind] {
			where := "events." + kind + "." + strconv.Itoa(i+1)
			e := Event{Site: x.Site}
			_, half := x.Facts[proofEarliest] // of a proof the day may not be known
			if x.At == "" && half && kind == agreement.EventProof {
			} else if e.At, err = time.Parse(time.RFC3339, x.At); err != nil {
				return q, bad(where+".at", "is no instant such as 2025-09-02T10:00:00+05:00")
			}
			e.At = e.At.UTC()
			if e.Facts, err = facts(x.Facts, typ, where+".", lenient); err != nil {
				return q, err
			}
			q.Events[kind] = append(q.Events[kind], e)
		}
	}
	for _, x := range j.Lots {
		q.Lots = append(q.Lots, Lot(x))
	}
	return q, nil
}

func points() []Point {
	return []Point{Booking, Gate, Goods, Receipt, Exit, Custody, Data, Duty, Permit, Signing}
}

// endOf is the last second of a day by the clock of a site, or else of the first agreement.
func endOf(d calendar.Date, editions []*compiled, site string) time.Time {
	zone := time.UTC
	if len(editions) > 0 {
		c := editions[0]
		if zone = c.zone; c.sites[site] != nil {
			zone = c.sites[site].zone
		}
	}
	return d.AddDays(1).Start(zone).Add(-time.Second)
}

func bad(field, what string) error {
	return &problem.Error{Kind: problem.Invalid, Code: "query." + field, Field: field, Err: fmt.Errorf("%s", what)}
}

func facts(m map[string]any, typ func(name string) string, where string, lenient bool) (Facts, error) {
	f := make(Facts, len(m))
	for _, name := range sortedKeys(m) {
		want := typ(name)
		v, ok := fact(m[name], want)
		if !ok && lenient {
			continue
		}
		if !ok {
			if want == "" {
				want = "text, whole number, true or false, or list of texts"
			}
			return nil, bad(where+name, "is no "+want)
		}
		f[name] = v
	}
	return f, nil
}

// fact reads a value as JSON has it, by the type of an attribute; any where it is empty.
func fact(v any, typ string) (any, bool) {
	switch x := v.(type) {
	case string:
		switch typ {
		case "string", "":
			return x, true
		case "time":
			t, err := time.Parse(time.RFC3339, x)
			return t.UTC(), err == nil
		case "date":
			d, err := calendar.ParseDate(x)
			return d, err == nil
		}
	case json.Number:
		n, err := strconv.ParseInt(x.String(), 10, 64)
		return n, err == nil && (typ == "int" || typ == "")
	case bool:
		return x, typ == "bool" || typ == ""
	case map[string]any:
		if typ != agreement.TypeCertificate {
			return nil, false
		}
		whole, err := certlogic.From(x)
		if err != nil {
			return nil, false
		}
		c, err := certlogic.CertificateOf(whole)
		return c, err == nil
	case []any:
		set := make([]string, 0, len(x))
		for _, e := range x {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			set = append(set, s)
		}
		slices.Sort(set)
		return slices.Compact(set), typ == "strings" || typ == ""
	}
	return nil, false
}

// AppendQuery appends a question in the one form that it has: names sorted, times in UTC,
// what is empty left out. ParseQuery reads it back as the same question.
func AppendQuery(b []byte, q Query) []byte {
	b = appendWhere(b, &q)
	if len(q.Facts) > 0 {
		b = appendFacts(b, q.Facts)
	}
	if q.Events != nil {
		b = appendEvents(b, q.Events, sortedKeys(q.Events))
	}
	return appendOf(appendLots(b, q.Lots), &q)
}

// appendWhere appends a question up to its facts: where and when it is asked.
func appendWhere(b []byte, q *Query) []byte {
	b = appendText(append(b, `{"point":`...), string(q.Point))
	b = appendTime(append(b, `,"at":`...), q.At)
	if !q.Known.IsZero() {
		b = appendTime(append(b, `,"known":`...), q.Known)
	}
	if q.Site != "" {
		b = appendText(append(b, `,"site":`...), q.Site)
	}
	if q.Side != "" {
		b = appendText(append(b, `,"side":`...), q.Side)
	}
	return b
}

// appendOf appends the end of a question: of which agreement it is asked.
func appendOf(b []byte, q *Query) []byte {
	if q.Agreement != "" {
		b = appendText(append(b, `,"agreement":`...), q.Agreement)
	}
	return append(b, '}')
}

// appendEvents appends what happened, of some kinds in their order.
func appendEvents(b []byte, events map[string][]Event, kinds []string) []byte {
	b = append(b, `,"events":{`...)
	for n, kind := range kinds {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, kind), ":["...)
		for i, e := range events[kind] {
			if i > 0 {
				b = append(b, ',')
			}
			if b = append(b, `{"at":`...); e.At.IsZero() {
				b = append(b, `""`...)
			} else {
				b = appendTime(b, e.At)
			}
			if e.Site != "" {
				b = appendText(append(b, `,"site":`...), e.Site)
			}
			if len(e.Facts) > 0 {
				b = appendFacts(b, e.Facts)
			}
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendLots(b []byte, lots []Lot) []byte {
	if len(lots) == 0 {
		return b
	}
	b = append(b, `,"lots":[`...)
	for i, x := range lots {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"category":`...), x.Category)
		b = strconv.AppendInt(append(b, `,"value":`...), x.Value, 10)
		b = appendText(append(b, `,"regime":`...), x.Regime)
		b = append(appendText(append(b, `,"site":`...), x.Site), '}')
	}
	return append(b, ']')
}

func appendFacts(b []byte, f Facts) []byte {
	b = append(b, `,"facts":{`...)
	for _, name := range sortedKeys(f) {
		b = appendFact(b, name, f[name])
	}
	return append(b, '}')
}

// appendFact appends one of some facts.
func appendFact(b []byte, name string, v any) []byte {
	at := len(b)
	if b[at-1] != '{' {
		b = append(b, ',')
	}
	b = append(appendText(b, name), ':')
	switch x := v.(type) {
	case string:
		b = appendText(b, x)
	case int64:
		b = strconv.AppendInt(b, x, 10)
	case int:
		b = strconv.AppendInt(b, int64(x), 10)
	case bool:
		b = strconv.AppendBool(b, x)
	case time.Time:
		b = appendTime(b, x)
	case calendar.Date:
		b = appendText(b, x.String())
	case *certlogic.Certificate:
		b = x.AppendJSON(b)
	case []string:
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, s)
		}
		b = append(b, ']')
	default:
		b = b[:at] // of no type that an attribute has: it counts as not given
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// appendText appends a text as package json writes it.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			j, err := json.Marshal(s)
			if err != nil {
				panic("rules: a text always encodes: " + err.Error())
			}
			return append(b, j...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
