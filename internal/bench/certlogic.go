// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"darwaza.dev/internal/certlogic"
)

// The rules that are measured: a vaccine that must be of a value set of 61 names, and a
// dose that counts from the 14th day to the 365th.
const (
	listRule = `{"if":[{"var":"payload.v.0"},{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.vaccines-covid-19-names"}]},true]}`
	dateRule = `{"if":[{"var":"payload.v.0"},{"not-after":[{"plusTime":[{"var":"payload.v.0.dt"},14,"day"]},` +
		`{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"payload.v.0.dt"},365,"day"]}]},true]}`
)

// ruleList measures the evaluations a second, on one core, of a rule of membership.
func ruleList(ctx context.Context, say func(string, ...any)) (float64, error) {
	return evaluations(ctx, listRule, say)
}

// ruleDate measures those of a rule of a date window.
func ruleDate(ctx context.Context, say func(string, ...any)) (float64, error) {
	return evaluations(ctx, dateRule, say)
}

// evaluations measures how often a second one goroutine evaluates a compiled rule.
// Certificates that meet it and that do not come in turns.
func evaluations(ctx context.Context, logic string, say func(string, ...any)) (float64, error) {
	rules, err := certlogic.ParseRules(fmt.Appendf(nil, `{"Identifier":"VR-XA-0001","Type":"Acceptance","Country":"XA","Version":"1.0.0","SchemaVersion":"1.0.0","Engine":"CERTLOGIC",`+
		`"EngineVersion":"1.0.0","CertificateType":"Vaccination","Description":[{"lang":"en","desc":"measured"}],"ValidFrom":"2021-01-01T00:00:00Z","ValidTo":"2031-01-01T00:00:00Z","AffectedFields":["v.0"],"Logic":%s}`, logic))
	if err != nil {
		return 0, err
	}
	var names []certlogic.Value
	for i := range 60 {
		names = append(names, certlogic.MakeString(fmt.Sprintf("EU/1/%d/%d", 20+i%3, 1500+i)))
	}
	names = append(names, certlogic.MakeString("EU/1/21/1618"))
	set, err := certlogic.NewSet(rules, "XA", "", certlogic.MakeObject(map[string]certlogic.Value{"vaccines-covid-19-names": certlogic.MakeArray(names...)}))
	if err != nil {
		return 0, err
	}
	at := time.Date(2021, 9, 1, 12, 0, 0, 0, time.UTC)
	const many = 64
	var data [many]certlogic.Value
	var want [many]certlogic.Outcome
	for i := range many {
		mp, dt := "EU/1/21/1618", at.AddDate(0, 0, -20-i).Format(time.DateOnly)
		if want[i] = certlogic.Passed; i%2 == 1 {
			mp, dt, want[i] = "Convidecia", at.AddDate(0, 0, -i%14).Format(time.DateOnly), certlogic.Failed
		}
		payload, err := certlogic.From(map[string]any{"ver": "1.3.0", "dob": "1964-08-12", "nam": map[string]any{"fnt": "X", "gnt": "Y"}, "v": []any{map[string]any{
			"tg": "840539006", "vp": "1119349007", "mp": mp, "ma": "ORG-100030215", "dn": int64(2), "sd": int64(2), "dt": dt, "co": "XA", "is": "A ministry", "ci": "URN:UVCI:01:XA:1#2",
		}}})
		if err != nil {
			return 0, err
		}
		data[i] = set.Data(&certlogic.Certificate{Payload: payload, Issuer: "XA"}, at)
	}
	rule := set.Rules()[0]
	wrong := errors.New("a wrong answer")
	var rounds []float64
	for range 31 {
		us, err := timed(50*time.Millisecond, func(i int) error {
			if rule.Judge(data[i%many]).Outcome != want[i%many] {
				return wrong
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		rounds = append(rounds, 1e6/us)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	say("%.2f million evaluations a second on one core, %.0f ns each", median(rounds)/1e6, 1e9/median(rounds))
	return median(rounds), nil
}
