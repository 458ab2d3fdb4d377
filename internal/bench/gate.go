// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/storetest"
)

// gateVerdict measures the verification of a pass and the gate's verdict on it, as a
// multiple of the bare verification of one P-256 signature.
func gateVerdict(ctx context.Context, say func(string, ...any)) (float64, error) {
	g, err := newGate(512)
	if err != nil {
		return 0, err
	}
	bare, err := newBare(512)
	if err != nil {
		return 0, err
	}
	const each = 100 * time.Millisecond
	var ours, base, ratios []float64
	for range 31 {
		a, err := timed(each, bare)
		if err != nil {
			return 0, err
		}
		b, err := timed(each, g.verdict)
		if err != nil {
			return 0, err
		}
		base, ours, ratios = append(base, a), append(ours, b), append(ratios, b/a)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	say("verification and verdict %.1f µs, a bare P-256 verification %.1f µs", median(ours), median(base))
	return median(ratios), nil
}

// timed calls f again and again for a while and returns the microseconds of one call.
func timed(d time.Duration, f func(i int) error) (float64, error) {
	begun := time.Now()
	n := 0
	for time.Since(begun) < d {
		for range 64 {
			if err := f(n); err != nil {
				return 0, err
			}
			n++
		}
	}
	return float64(time.Since(begun).Nanoseconds()) / 1000 / float64(n), nil
}

// newBare returns the verification of one of n signatures.
func newBare(n int) (func(i int) error, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	digests, sigs := make([][32]byte, n), make([][]byte, n)
	for i := range n {
		digests[i] = sha256.Sum256(fmt.Append(nil, i))
		if sigs[i], err = ecdsa.SignASN1(rand.Reader, key, digests[i][:]); err != nil {
			return nil, err
		}
	}
	return func(i int) error {
		if !ecdsa.VerifyASN1(&key.PublicKey, digests[i%n][:], sigs[i%n]) {
			return errors.New("a good signature is refused")
		}
		return nil
	}, nil
}

// A pitch is a gate with passes to show at it.
type pitch struct {
	law   *rules.Law
	trust *pass.Trust
	now   time.Time
	state service.State
	texts []string
}

// newGate sells n passes on maps, and stands at the gate when their slot begins.
func newGate(n int) (*pitch, error) {
	law, err := storetest.Law(1 << 16)
	if err != nil {
		return nil, err
	}
	trust, key, err := newTrust()
	if err != nil {
		return nil, err
	}
	mem := service.Memory(agreement.A, func() *rules.Law { return law }, storetest.Now)
	g := &pitch{law: law, trust: trust}
	for range n {
		c := storetest.NewBook(storetest.Slot(10))
		if _, err := mem.Do(context.Background(), service.Idem{}, c); err != nil {
			return nil, err
		}
		err := mem.View(context.Background(), func(st service.State) error {
			b, _ := st.Booking.Bookings.Get(c.Ref)
			claims, ok := service.PassClaims(law, agreement.A, b, 0)
			if !ok {
				return errors.New("no pass for a booking")
			}
			text, err := pass.Sign(key, claims)
			g.texts, g.state = append(g.texts, text), st
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slot := storetest.Slot(10)
	plan, ok := law.Slot(slot.Site(), slot.Class(), slot.Day(), slot.Minute())
	if !ok {
		return nil, errors.New("the slot is not planned")
	}
	g.now = plan.From.Add(10 * time.Minute)
	return g, nil
}

// verdict verifies a pass and decides on its holder, who has shown the document and was
// screened.
func (g *pitch) verdict(i int) error {
	claims, fault := g.trust.Verify(g.texts[i%len(g.texts)], g.now)
	desk := gate.Desk{State: g.state.Gate, Booking: booking.State(g.state.Booking), Levels: g.state.Levels, Screening: g.state.Screening, Closures: g.state.Closures, Law: g.law, Side: agreement.A, Now: g.now}
	_, a, err := desk.DecideScan(gate.Arrival{
		Site: storetest.Site, Gate: 1, Direction: gate.In, Officer: "o-1", Claims: claims, Fault: fault,
		Match: gate.Fits, Screening: gate.Screening{Done: true, TempTenths: 366}, VendorKnown: true,
	})
	if err != nil {
		return err
	}
	if a.Verdict.Outcome != reason.Allow {
		return fmt.Errorf("a good pass is answered %v: %v", a.Verdict.Outcome, a.Verdict.Reasons)
	}
	return nil
}
