// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/certlogic"
	"darwaza.dev/internal/reason"
)

// held is a certificate among the values of a question. A condition can ask whether one is
// known, and nothing of what it says. It holds none where one is supposed that meets every rule.
type held struct{ c *certlogic.Certificate }

var errHeld = errors.New("rules: a certificate is of no other type")

// ConvertToNative is of ref.Val.
func (h *held) ConvertToNative(reflect.Type) (any, error) { return nil, errHeld }

// ConvertToType is of ref.Val.
func (h *held) ConvertToType(ref.Type) ref.Val { return types.WrapErr(errHeld) }

// Equal is of ref.Val.
func (h *held) Equal(o ref.Val) ref.Val { return types.Bool(ref.Val(h) == o) }

// Type is of ref.Val.
func (h *held) Type() ref.Type { return types.NewOpaqueType(agreement.TypeCertificate) }

// Value is of ref.Val.
func (h *held) Value() any { return h.c }

// The parameters of a reason that names a rule.
const (
	paramSet     = "set"
	paramRule    = "rule"
	paramVersion = "version"
)

// certificate asks the published rules of a set of a certificate, as it stands at each
// instant that the clause names. Each rule that is not met is a reason, and so is each that
// cannot tell. Where no rule speaks of the certificate nobody has accepted it.
func (j *judge) certificate(i int, k *clause) {
	a := j.a
	h, ok := a.given(k.Certificate).(*held)
	if !ok {
		j.without(i, k, k.Certificate)
		return
	}
	if h.c == nil {
		j.met(i, k, "")
		return
	}
	at := []time.Time{a.now}
	if len(k.Over) > 0 {
		at = at[:0]
		for _, id := range k.Over {
			t, ok := a.given(id).(types.Timestamp)
			if !ok {
				j.without(i, k, id)
				return
			}
			at = append(at, t.Time)
		}
	}
	set := a.c.e.RuleSets[k.Rules].Rules
	var wrong []certlogic.Result
	met := 0
	for _, t := range at {
		results := set.Judge(h.c, t)
		if len(results) == 0 {
			j.against(i, k, CodeNoRule, reason.Refer, map[string]string{paramSet: k.Rules})
			return
		}
		met = len(results)
		for _, r := range results {
			same := func(o certlogic.Result) bool { return o.Rule == r.Rule && o.Outcome == r.Outcome }
			if r.Outcome != certlogic.Passed && !slices.ContainsFunc(wrong, same) {
				wrong = append(wrong, r)
			}
		}
	}
	for _, r := range wrong {
		params := map[string]string{paramSet: k.Rules, paramRule: r.Rule.ID, paramVersion: r.Rule.Version}
		if r.Outcome == certlogic.Open {
			j.against(i, k, CodeRuleOpen, reason.Refer, params)
		} else {
			j.against(i, k, CodeRule, k.Else, j.with(k, params))
		}
	}
	if len(wrong) > 0 {
		return
	}
	j.met(i, k, strconv.Itoa(met)+" rules of "+k.Rules)
}

// PublishedRule returns the published rule that a reason names, of the edition whose clause
// gave it.
func PublishedRule(e *agreement.Edition, r reason.Reason) (*certlogic.Rule, bool) {
	s := e.RuleSets[r.Params[paramSet]]
	if s == nil {
		return nil, false
	}
	return s.Rules.Rule(r.Params[paramRule], r.Params[paramVersion])
}
