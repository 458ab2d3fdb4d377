// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// mayRelease may be asked to decide on goods at the way out; the clause names who is.
func mayRelease() []people.Role {
	return []people.Role{people.Customs, people.GateOfficer, people.Supervisor}
}

// goodsOutView is the page of goods at the way out that the agreement leaves to an officer.
type goodsOutView struct {
	Place  place
	Open   []goodsOut // what waits, and what is kept and may still be let go
	Ended  []goodsOut
	Note   string // key of what was just done
	Undone bool   // nothing was done: the day is over
}

// goodsOut are the goods with which one pass leaves, and what becomes of them.
type goodsOut struct {
	Pass    pass.ID
	Number  uint64
	At      time.Time
	Gate    lang.Text
	Why     []reasonLine
	Lots    []purchaseLine // of the person on the day, without those that were taken back
	Decider string         // key of the role that must decide, where the officer does not hold it
	By      string         // login of who decided, empty where nobody has
	Go      bool
	Ground  string
	Lapsed  bool
	Form    goodsForm
}

// goodsForm is what the form for a decision on goods carries.
type goodsForm struct {
	Site, Gate uint16
	Pass       pass.ID
	Number     uint64
	At         string // "gate" where the answer to a scan holds the form
	Kept       bool   // they are kept, and may only be let go
	Grounds    []string
}

// goodsFormOf is the form for the goods of a scan.
func goodsFormOf(p place, id pass.ID, sc gate.Scan, at string) goodsForm {
	return goodsForm{Site: p.Site.Number, Gate: p.Gate.Number, Pass: id, Number: sc.Serial, At: at, Kept: sc.GoodsBy != "", Grounds: gate.GoodsGrounds[:]}
}

// login is how an officer is shown: by the name that they sign in with.
func (s *server) login(st service.State, id string) string {
	o, ok := service.OfficerOf(st, people.OfficerID(id))
	if !ok || o.Login == "" {
		return id
	}
	return o.Login
}

func (s *server) goodsOutPage(w http.ResponseWriter, r *request) error {
	f, p, err := s.atSite(r)
	if err != nil {
		return err
	}
	v := goodsOutView{Place: p}
	switch f.get("did") {
	case "go", "keep":
		v.Note = "leaving.did." + f.get("did")
	case "past":
		v.Undone = true
	}
	err = s.view(r.Context(), func(st service.State) error {
		open, ended := service.GoodsOut(st, p.Site.Number, p.Day)
		for _, g := range append(open, ended...) {
			o := s.goodsOut(r, st, p, g)
			if o.By == "" && !o.Lapsed || o.By != "" && !o.Go {
				v.Open = append(v.Open, o)
			} else {
				v.Ended = append(v.Ended, o)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.render(w, r, page{Name: "goods-out", View: v, Wide: true, Styles: []string{"officer.css"}})
}

func (s *server) goodsOut(r *request, st service.State, p place, g gate.GoodsScan) goodsOut {
	sc := g.Scan
	gt, _ := p.Site.Gate(sc.Gate)
	o := goodsOut{Pass: g.Presence.Pass, Number: sc.Serial, At: sc.At.In(p.Zone), Gate: gt.Name, Go: sc.GoodsGo, Ground: sc.GoodsGround, Lapsed: sc.GoodsLapsed,
		Why: s.reasonLines(r.Lang, rules.Verdict{At: sc.At, Reasons: sc.GoodsWhy}), Decider: s.decider(r, sc.GoodsWhy), Form: goodsFormOf(p, g.Presence.Pass, sc, "")}
	if sc.GoodsBy != "" {
		o.By = s.login(st, sc.GoodsBy)
	}
	for _, pu := range service.LedgerOf(st, g.Presence.Tag, booking.SlotID(g.Presence.Slot).Day()).Purchases {
		if !pu.Void && !pu.At.After(sc.At) {
			o.Lots = append(o.Lots, s.purchaseLine(r, p, pu))
		}
	}
	return o
}

// goodsDecide records an officer's decision on goods at the way out.
func (s *server) goodsDecide(w http.ResponseWriter, r *request) error {
	f, p, id, serial, err := s.atScan(r)
	if err != nil {
		return err
	}
	act := f.get("act")
	if act != "go" && act != "keep" {
		return problem.Field("act", "form")
	}
	a, _, err := do[service.ScanAnswer](s, r, service.DecideGoods{Pass: id, Serial: serial, Go: act == "go", Why: f.get("why"), Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	if f.get("at") == "gate" && slices.ContainsFunc([]people.Role{people.GateOfficer, people.Health, people.Supervisor}, r.Officer.Has) {
		return s.redirect(w, r, scanPath(p, id, serial, act))
	}
	if a.Scan.GoodsLapsed {
		act = "past"
	}
	return s.redirect(w, r, "/gate/goods?site="+strconv.Itoa(int(p.Site.Number))+"&did="+act)
}

// goodsIn is an officer's decision on goods at the way out.
type goodsIn struct {
	Site   string  `json:"site"`
	PassID pass.ID `json:"pass_id"`
	Serial uint64  `json:"serial"`
	Go     bool    `json:"go"`
	Why    string  `json:"why"`
}

// goodsOutDone is what became of goods that were left to an officer.
type goodsOutDone struct {
	PassID pass.ID       `json:"pass_id"`
	Scan   scanDone      `json:"scan"`
	Goods  rules.Verdict `json:"goods"`
	Says   []string      `json:"goods_says,omitempty"`
	State  string        `json:"state"` // waiting, let_go, kept or lapsed
	By     string        `json:"by,omitempty"`
	Why    string        `json:"why,omitempty"`
}

type goodsListOut struct {
	Site  string         `json:"site"`
	Day   string         `json:"day"`
	Goods []goodsOutDone `json:"goods"`
}

// goodsState is a word for what became of the goods of a scan.
func goodsState(sc gate.Scan) string {
	switch {
	case sc.GoodsLapsed:
		return "lapsed"
	case sc.GoodsGo:
		return "let_go"
	case sc.GoodsBy != "":
		return "kept"
	}
	return "waiting"
}

// apiGoods lists the goods of today at the way out that were left to an officer.
func (s *server) apiGoods(w http.ResponseWriter, r *request) error {
	site, err := s.siteToAct(r, r.PathValue("site"))
	if err != nil {
		return err
	}
	day, _, ok := service.DayAt(s.deps.Law(), site.Number, r.Now)
	if !ok {
		return problem.New(problem.Offline, "law")
	}
	out := goodsListOut{Site: site.ID, Day: rules.DayDate(day).String(), Goods: []goodsOutDone{}}
	err = s.view(r.Context(), func(st service.State) error {
		open, ended := service.GoodsOut(st, site.Number, day)
		for _, g := range append(open, ended...) {
			v := service.GoodsVerdict(g.Scan)
			out.Goods = append(out.Goods, goodsOutDone{PassID: g.Presence.Pass, Scan: scanWritten(g.Scan), Goods: v, Says: s.says(r.Lang, v),
				State: goodsState(g.Scan), By: g.Scan.GoodsBy, Why: g.Scan.GoodsGround})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.ok(w, out)
}

// apiGoodsDecide ends a REFER or HOLD on goods at the way out.
func (s *server) apiGoodsDecide(w http.ResponseWriter, r *request) error {
	in, err := decode[goodsIn](r)
	if err != nil {
		return err
	}
	if _, err := s.siteToAct(r, in.Site); err != nil {
		return err
	}
	a, d, err := do[service.ScanAnswer](s, r, service.DecideGoods{Pass: in.PassID, Serial: in.Serial, Go: in.Go, Why: in.Why, Officer: r.Officer.ID})
	if err != nil {
		return err
	}
	return s.answerScan(w, r, a, "", d)
}
