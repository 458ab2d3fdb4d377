// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"darwaza.dev/internal/agreement"
)

// scan is one call at a gate.
type scan struct {
	Site      string     `json:"site"`
	Gate      uint16     `json:"gate"`
	Direction string     `json:"direction"`
	Pass      string     `json:"pass"`
	Document  *document  `json:"document,omitempty"`
	Screening *screening `json:"screening,omitempty"`
	Again     uint64     `json:"again,omitempty"`
	Proof     string     `json:"proof,omitempty"`
	ProofFits bool       `json:"proof_fits,omitempty"`
}

type screening struct {
	TempTenths int16 `json:"temp_tenths"`
	Symptoms   bool  `json:"symptoms"`
	// Answers are to what the disease profiles ask beside.
	Answers []answered `json:"answers,omitempty"`
}

type answered struct {
	Attribute string `json:"attribute"`
	Yes       bool   `json:"yes"`
}

// noContact says that somebody was near nobody who is ill.
func noContact() []answered { return []answered{{Attribute: contactAsks}} }

// show is what a visitor shows at the gate.
func (p *Player) show(i, m int) string {
	v, st := &p.plan.Parties[i].Members[m], &p.states[i]
	text := st.passes[m]
	switch v.Trouble {
	case Withdrawn:
		return st.old[m]
	case Altered:
		return alter(text)
	case NoPass:
		return "HC1:NCFOXN%TS3DH3ZSUZK+.V0ETD%65NL-AH-R6IOOA+I"
	}
	return text
}

// arrive brings a visitor to a gate.
func (p *Player) arrive(ctx context.Context, i, m int) error {
	v := &p.plan.Parties[i].Members[m]
	text := p.show(i, m)
	if text == "" {
		// No place, so no way to the border.
		p.mu.Lock()
		p.tally.stayed += v.People()
		p.mu.Unlock()
		return nil
	}
	gate := p.as(v.Gate, "gate")
	paper, comes, err := p.paperOf(ctx, i, m)
	if err != nil || !comes {
		return err
	}
	s := scan{Site: playSite, Gate: gateOf(v.Gate), Direction: "in", Pass: text}
	full := func() {
		s.Screening = &screening{TempTenths: int16(360 + (i*7+m*3)%10)}
		if v.Trouble == Fever {
			s.Screening.TempTenths = 384
		}
		s.Screening.Symptoms, s.Screening.Answers = v.Trouble == Symptoms, noContact()
		s.Proof, s.ProofFits = paper, v.Gate != p.plan.Parties[i].Side // who sold the pass knows the name
		if v.Trouble != NoDocument {
			d := documentOf(v)
			if v.Trouble == WrongDocument {
				d.Number = p.plan.Parties[(i+1)%len(p.plan.Parties)].Members[0].Number
				d.Kind, d.Country = p.plan.Parties[(i+1)%len(p.plan.Parties)].Members[0].Kind, p.plan.Parties[(i+1)%len(p.plan.Parties)].Members[0].Country
			}
			s.Document = &d
		}
	}
	bare := v.Hurried
	if !bare {
		full()
	}
	var a scanAnswer
	if err := gate.call(ctx, http.MethodPost, "/api/v1/gate/scans", p.key("in", i, m), s, &a); err != nil {
		return err
	}
	if bare && a.Verdict.Outcome == "HOLD" && !slices.Equal(a.Asks, []string{"decision"}) {
		// The officer asks for what is missing and scans again.
		full()
		s.Again = a.Scan.Serial
		a = scanAnswer{}
		if err := gate.call(ctx, http.MethodPost, "/api/v1/gate/scans", p.key("in2", i, m), s, &a); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.tally.arrived += v.People()
	p.tally.scans++
	p.tally.heard("gate", a.Verdict)
	p.mu.Unlock()
	if err := p.decide(ctx, gate, i, m, &a, "decide"); err != nil {
		return err
	}
	p.saw(v.Gate, &a)
	if !a.Scan.Counted {
		return nil
	}
	st := &p.states[i]
	st.inside[m], st.at[m], st.ids[m] = true, v.Gate, a.PassID
	p.mu.Lock()
	p.tally.admitted += v.People()
	p.mu.Unlock()

	key := i*16 + m
	lane := p.gateLane(i, m)
	if v.Trouble == TwiceIn {
		p.agenda.add(p.minute+6, phaseEnter, act{lane, key, func(ctx context.Context) error { return p.twice(ctx, i, m) }})
	}
	out := min(max(p.minute+v.Stay, p.minute+12), lastExit)
	for n := range v.Lots {
		at := min(p.minute+v.Lots[n].After, out-1)
		p.agenda.add(max(at, p.minute+1), phaseBuy, act{lane, n, func(ctx context.Context) error { return p.buy(ctx, i, m, n) }})
	}
	if v.Trouble != NeverOut {
		p.agenda.add(max(out, p.minute+2), phaseLeave, act{lane, key, func(ctx context.Context) error { return p.leave(ctx, i, m) }})
	}
	return nil
}

// decide ends a HOLD or REFER by the officer's decision.
func (p *Player) decide(ctx context.Context, gate caller, i, m int, a *scanAnswer, what string) error {
	if !slices.Contains(a.Asks, "decision") || a.Verdict.Outcome != "HOLD" && a.Verdict.Outcome != "REFER" && a.Verdict.Outcome != "CONFLICT" {
		return nil
	}
	v := &p.plan.Parties[i].Members[m]
	admit, why := v.Lucky && v.Paper != Lapsed && v.Paper != NoPaper, "seen"
	switch v.Trouble {
	case Symptoms:
		why = "screened"
	case TooEarly, TooLate:
		why = "excused"
	case TwiceIn:
		admit = false
	}
	if !admit {
		why = "doubt"
	}
	in := map[string]any{"site": playSite, "gate": gateOf(v.Gate), "pass_id": a.PassID, "serial": a.Scan.Serial, "admit": admit, "why": why}
	var d scanAnswer
	if err := gate.call(ctx, http.MethodPost, "/api/v1/gate/decisions", p.key(what, i, m), in, &d); err != nil {
		return err
	}
	p.mu.Lock()
	if admit {
		p.tally.decidedIn++
	} else {
		p.tally.decidedBack++
	}
	p.mu.Unlock()
	a.Scan.Counted = d.Scan.Counted
	if d.Inside > 0 {
		a.Inside = d.Inside
	}
	return nil
}

// saw remembers how many are inside.
func (p *Player) saw(side agreement.Side, a *scanAnswer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside[side] = max(p.inside[side], a.Inside)
	if a.Cap > 0 {
		p.capacity[side] = a.Cap
	}
}

// twice scans in a pass whose holder is inside already, as a copy of it would be.
func (p *Player) twice(ctx context.Context, i, m int) error {
	v, st := &p.plan.Parties[i].Members[m], &p.states[i]
	if !st.inside[m] {
		return nil
	}
	gate := p.as(v.Gate, "gate")
	d := documentOf(v)
	s := scan{Site: playSite, Gate: gateOf(v.Gate), Direction: "in", Pass: st.passes[m], Document: &d, Screening: &screening{TempTenths: 366, Answers: noContact()}}
	var a scanAnswer
	if err := gate.call(ctx, http.MethodPost, "/api/v1/gate/scans", p.key("twice", i, m), s, &a); err != nil {
		return err
	}
	p.mu.Lock()
	p.tally.scans++
	p.tally.heard("gate", a.Verdict)
	p.mu.Unlock()
	return p.decide(ctx, gate, i, m, &a, "decide2")
}

func (p *Player) leave(ctx context.Context, i, m int) error {
	v, st := &p.plan.Parties[i].Members[m], &p.states[i]
	gate := p.as(st.at[m], "gate")
	s := scan{Site: playSite, Gate: gateOf(st.at[m]), Direction: "out", Pass: st.passes[m]}
	var a scanAnswer
	if err := gate.call(ctx, http.MethodPost, "/api/v1/gate/scans", p.key("out", i, m), s, &a); err != nil {
		return err
	}
	p.mu.Lock()
	p.tally.scans++
	p.tally.heard("exit", a.Verdict)
	if a.Scan.Counted {
		p.tally.left += v.People()
	}
	p.inside[st.at[m]] = a.Inside
	p.mu.Unlock()
	st.inside[m] = !a.Scan.Counted
	return nil
}

// buy asks the goods desk for one lot, and makes do with less where the law says so.
func (p *Player) buy(ctx context.Context, i, m, n int) error {
	party, st := &p.plan.Parties[i], &p.states[i]
	v := &party.Members[m]
	lot := v.Lots[n]
	good := p.world.Goods[lot.Good]
	in := map[string]any{
		"site": playSite, "pass": st.passes[m], "good": good.Code, "quantity": lot.Quantity, "accept": lot.Accept,
		"buyer": map[string]any{"name": v.Name, "document": documentOf(v)},
	}
	desk := p.as(agreement.A, "customs")
	ask := func(what string) (buyAnswer, error) {
		var a buyAnswer
		if err := desk.call(ctx, http.MethodPost, "/api/v1/desk/purchases", p.key(what, i, m, n), in, &a); err != nil {
			return a, err
		}
		p.mu.Lock()
		p.tally.lots++
		p.tally.heard("goods", a.Verdict)
		if a.Purchase != nil {
			p.tally.bought(a)
		}
		p.mu.Unlock()
		return a, nil
	}
	a, err := ask("buy")
	if err != nil || a.Purchase != nil {
		return err
	}
	switch a.Verdict.Outcome {
	case "REFER":
		if !lot.Settle {
			return nil
		}
		in["decided"] = "document"
		if good.Hidden {
			in["decided"], in["value"] = "value", max(good.Minor*lot.Quantity/1000, 1)
		}
		_, err = ask("settle")
	case "DIVERT", "REFUSE":
		fits := a.Fits / 500 * 500
		if good.Unit != "kg" && good.Unit != "litre" {
			fits = fits / 1000 * 1000
		}
		if fits <= 0 {
			return nil
		}
		in["quantity"] = fits
		_, err = ask("less")
	}
	return err
}

// reasonKey is a reason with its clause, as the table lists it.
func reasonKey(outcome, clause, code string) string {
	return strings.Join([]string{outcome, clause, code}, "\t")
}
