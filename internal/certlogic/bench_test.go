// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package certlogic

import (
	"testing"
	"time"
)

func BenchmarkEval(b *testing.B) {
	codes := make([]Value, 0, 60)
	for i := range 60 {
		codes = append(codes, MakeString("EU/1/20/"+string(rune('a'+i%26))+string(rune('0'+i/26))))
	}
	set := &Set{valueSets: MakeObject(map[string]Value{"vaccines-covid-19-names": MakeArray(append(codes, MakeString("EU/1/20/1528"))...)})}
	payload, err := Parse([]byte(`{"v":[{"tg":"840539006","vp":"1119349007","mp":"EU/1/20/1528","ma":"ORG-100030215","dn":2,"sd":2,"dt":"2021-06-01"}]}`))
	if err != nil {
		b.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, "2021-07-01T00:00:00Z")
	if err != nil {
		b.Fatal(err)
	}
	data := set.Data(&Certificate{Payload: payload}, at)
	for name, text := range map[string]string{
		"list": `{"if":[{"var":"payload.v.0"},{"in":[{"var":"payload.v.0.mp"},{"var":"external.valueSets.vaccines-covid-19-names"}]},true]}`,
		"date": `{"if":[{"var":"payload.v.0"},{"not-after":[{"plusTime":[{"var":"payload.v.0.dt"},14,"day"]},{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"payload.v.0.dt"},365,"day"]}]},true]}`,
		"year": `{"after":[{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":[{"var":"payload.v.0.dt"},-1,"year"]}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			v, err := Parse([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			x, err := Compile(v)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, err := x.Eval(data); err != nil || !got.IsTrue() {
					b.Fatal(got, err)
				}
			}
		})
	}
}
