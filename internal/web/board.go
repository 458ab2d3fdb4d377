// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"net/http"
	"net/url"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/appeal"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/service"
)

// boardView is the public board: how each site stands now.
type boardView struct {
	Known bool // an edition is in force
	Today calendar.Date
	Sites []siteBoard
	Line  lineView
}

// siteBoard is one site on the board.
type siteBoard struct {
	Site    agreement.Site
	Open    bool
	Classes []classLine
	Next    []nextHours
	Inside  uint32 // people inside at this side's gates
	Cap     uint32 // this side's share of the cap, 0 where there is none
	Percent uint32
	At      time.Time // of this side's figure, in the site's zone
	There   *otherFigure
	Name    string // of this side
	Other   string // of the other side
	// Open and answered contests at the site.
	CasesOpen, CasesAnswered uint32
	Closure                  *closureLine // nil where nothing is closed and no plan runs
	Level                    *levelLine   // nil where the mildest holds and no other is known to come
}

// nextHours are the next hours of a class that have room.
type nextHours struct {
	Class agreement.Class
	Slots []slotLine
	More  template.URL // the address parameters under which all hours of the day are
}

// nextShown is how many hours of each class the board shows.
const nextShown = 3

// otherFigure is the other side's figure with its age.
type otherFigure struct {
	Inside  uint32
	At      time.Time // by the other side's clock, in the site's zone
	Minutes int       // since it was heard
}

// classLine is whether a class may come in now.
type classLine struct {
	Class   agreement.Class
	Open    bool
	Until   span // its From is when it closes
	Next    span // its From is when it opens next
	NextOn  bool // an opening is known
	Reasons []reasonView
}

// lineView is how the line to the other side is.
type lineView struct {
	Shown   bool
	Up      bool
	Minutes int
	Never   bool
}

func (s *server) line(r *request) lineView {
	if s.deps.Heard == nil {
		return lineView{}
	}
	h := s.deps.Heard()
	return lineView{Shown: true, Up: h.Up && !h.Cut, Never: h.At.IsZero(), Minutes: minutesSince(r.Now, h.At)}
}

func (s *server) board(w http.ResponseWriter, r *request) error {
	return s.keep(w, r, func() (page, error) { return s.boardPage(r) })
}

func (s *server) boardPage(r *request) (page, error) {
	v := boardView{Line: s.line(r)}
	law := s.deps.Law()
	if _, ok := law.Edition(r.Now); !ok {
		return page{Name: "board", View: v}, nil
	}
	v.Known = true
	sites := law.Sites(r.Now)
	editions := make([]*agreement.Edition, len(sites))
	for i, site := range sites {
		editions[i], _ = law.EditionFor(site.Number, r.Now)
	}
	boards := make([]service.Board, len(sites))
	nexts := make([][]nextHours, len(sites))
	cases := make([]appeal.SiteCases, len(sites))
	levels := make([]*levelLine, len(sites))
	closures := make([]*closureLine, len(sites))
	if err := s.view(r.Context(), func(st service.State) error {
		for i, site := range sites {
			boards[i] = service.BoardOf(st, law, s.deps.Side, site.Number, r.Now)
			nexts[i] = s.nextHours(st, r, editions[i], site)
			cases[i], _ = service.CaseFigures(st, site.Number, 0)
			closures[i] = s.closureLine(st, editions[i], site, r.Now)
			levels[i] = s.levelLine(st, editions[i], site, r.Now)
		}
		return nil
	}); err != nil {
		return page{}, err
	}
	for i, site := range sites {
		b := s.siteBoard(r, editions[i], site, boards[i], nexts[i])
		b.CasesOpen, b.CasesAnswered = cases[i].Open, cases[i].Answered
		b.Level, b.Closure = levels[i], closures[i]
		v.Sites = append(v.Sites, b)
	}
	loc := time.UTC
	if len(sites) > 0 {
		if l, err := calendar.Zone(sites[0].Zone); err == nil {
			loc = l
		}
	}
	v.Today = calendar.On(r.Now, loc)
	return page{Name: "board", View: v}, nil
}

// nextHours finds the next hours with room of each class.
func (s *server) nextHours(st service.State, r *request, e *agreement.Edition, site agreement.Site) []nextHours {
	law := s.deps.Law()
	today, _, ok := service.DayAt(law, site.Number, r.Now)
	if !ok {
		return nil
	}
	var out []nextHours
	for _, c := range law.Classes(site.Number, r.Now) {
		n := nextHours{Class: c}
		for d := 0; d < s.ahead(site, r.Now) && len(n.Slots) < nextShown; d++ {
			for _, v := range service.DayOf(st, law, s.deps.Side, site.Number, c.Number, today+uint16(d), r.Now) {
				if v.Free > 0 && !v.Past && len(n.Slots) < nextShown {
					n.Slots = append(n.Slots, s.slotLineOf(e, v))
				}
			}
		}
		if len(n.Slots) > 0 {
			n.More = template.URL(url.Values{"site": {site.ID}, "class": {c.ID}}.Encode())
			out = append(out, n)
		}
	}
	return out
}

func (s *server) siteBoard(r *request, e *agreement.Edition, site agreement.Site, b service.Board, next []nextHours) siteBoard {
	out := siteBoard{
		Site: site, Open: b.Open, Inside: b.Here.Inside, Cap: b.Cap, At: r.Now,
		Name: e.Parties[s.deps.Side].Name.In(r.Lang), Other: e.Parties[s.deps.Side.Other()].Name.In(r.Lang),
	}
	if b.Cap > 0 {
		out.Percent = min(100, b.Here.Inside*100/b.Cap)
	}
	if loc, err := calendar.Zone(site.Zone); err == nil {
		out.At = r.Now.In(loc)
		if b.ThereKnown {
			out.There = &otherFigure{Inside: b.There.Inside, At: b.There.AsOf.In(loc), Minutes: minutesSince(r.Now, b.There.HeardAt)}
		}
	}
	out.Classes = s.classLines(e, site, b)
	out.Next = next
	return out
}

// classLines says for each class whether it may come in now, and why not.
func (s *server) classLines(e *agreement.Edition, site agreement.Site, b service.Board) []classLine {
	var out []classLine
	for _, c := range b.Classes {
		l := classLine{Class: c.Class, Open: c.Open}
		if c.Open {
			l.Until = newSpan(e, site, c.Until, c.Until)
		} else if !c.Next.IsZero() {
			l.NextOn, l.Next = true, newSpan(e, site, c.Next, c.Next)
		}
		for _, re := range c.Closed {
			l.Reasons = append(l.Reasons, s.reason(re, e.ID, b.Now))
		}
		out = append(out, l)
	}
	return out
}
