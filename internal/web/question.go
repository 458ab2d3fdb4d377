// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/lang"
)

// The gate's form asks for temperature and symptoms by their own names. Whatever else the
// disease profiles of the edition ask stands in it under the attribute's id, and its ids
// in fields of the name askedField, so that what was left open is known.
const (
	askedField     = "asked"
	questionPrefix = "q."
)

// question is one thing that a disease profile asks.
type question struct {
	ID, Field   string
	Name        lang.Text
	Temperature bool
}

// questions are those of the attributes that the profiles of an edition ask and that are
// not known, apart from what the form always asks.
func questions(e *agreement.Edition, missing []string) []question {
	var out []question
	for _, a := range gate.Questions(e, missing) {
		if a.ID != "screening.temperature" && a.ID != "screening.symptoms" {
			out = append(out, question{ID: a.ID, Field: questionPrefix + a.ID, Name: a.Name, Temperature: a.Type == "int"})
		}
	}
	return out
}

// answers reads what was answered to those questions, and adds what is left open or cannot
// be right. The law looks at an answer only where a profile asks for it.
func answers(f formValues, wrong *errorsIn) []gate.Answered {
	var out []gate.Answered
	for i, id := range f[askedField] {
		if slices.Contains(f[askedField][:i], id) {
			continue
		}
		field := questionPrefix + id
		switch text := f.get(field); text {
		case "":
			wrong.add(field, "gate.question.empty")
		case "yes", "no":
			out = append(out, gate.Answered{Attribute: id, Yes: text == "yes"})
		default:
			t, ok := parseTenths(text)
			a := gate.Answered{Attribute: id, Tenths: int16(min(t, gate.MostTemp+1))}
			if x := (gate.Screening{Answers: []gate.Answered{a}}); !ok || t == 0 || !x.Possible() {
				wrong.add(field, "gate.temperature.wrong")
			}
			out = append(out, a)
		}
	}
	return out
}
