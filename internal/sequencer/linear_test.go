// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sequencer_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/reason"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
	"darwaza.dev/internal/store/storetest"
)

// act is what a client asks of a slot: places for a party, or to give its booking back.
type act struct {
	slot   booking.SlotID
	cancel bool
	ref    booking.Ref
	places uint32
}

// slotModel is a slot that does one thing after another: a party is booked if and only if
// its places are there, and a place that is given back stays empty, as no gate of the other
// side has acknowledged that its pass is withdrawn.
func slotModel(places uint32) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[booking.SlotID][]porcupine.Operation{}
			for _, op := range history {
				by[op.Input.(act).slot] = append(by[op.Input.(act).slot], op)
			}
			var out [][]porcupine.Operation
			for _, ops := range by {
				out = append(out, ops)
			}
			return out
		},
		Init: func() any { return uint32(0) }, // places taken or withheld
		Step: func(state, input, output any) (bool, any) {
			used, a := state.(uint32), input.(act)
			if a.cancel {
				return output.(bool), used // whoever has booked may give it back
			}
			if fits := used+a.places <= places; fits != output.(bool) {
				return false, used
			} else if fits {
				used += a.places
			}
			return true, used
		},
	}
}

// TestLinearizable lets clients book and give back at once, and looks for an order of what
// they did, in which each thing happens at one instant between question and answer.
func TestLinearizable(t *testing.T) {
	const places, clients, each = 30, 12, 16
	law, err := storetest.Law(places)
	if err != nil {
		t.Fatal(err)
	}
	engines(t, func(t *testing.T, r *rig) {
		s := r.start(t, func(c *sequencer.Config) {
			c.Law, c.Clock = func() *service.Law { return law }, storetest.Now
		})
		defer s.stop()
		var mu sync.Mutex
		var history []porcupine.Operation
		begun := time.Now()
		var wg sync.WaitGroup
		for client := range clients {
			wg.Go(func() {
				rnd := mathrand.New(mathrand.NewPCG(7, uint64(client)))
				var mine []act
				for n := range each {
					a := act{slot: storetest.Slot(10 + rnd.IntN(2)), places: 1}
					var c service.Command
					if len(mine) > 0 && rnd.IntN(4) == 0 {
						a = mine[0]
						a.cancel, mine = true, mine[1:]
						c = service.Cancel{Ref: a.ref}
					} else {
						b := storetest.BookOf(uint64(client*1000+n), a.slot)
						a.ref, c = b.Ref, b
					}
					op := porcupine.Operation{ClientId: client, Input: a, Call: int64(time.Since(begun))}
					d, err := s.Do(t.Context(), service.Idem{Key: fmt.Sprintf("linear-%08d-%08d", client, n), Actor: "public"}, c)
					op.Return = int64(time.Since(begun))
					var ans service.BookingAnswer
					if err == nil {
						err = s.store.Codec().Unmarshal(d.Answer, &ans)
					}
					if err != nil {
						t.Errorf("%s: %v", c.CommandKind(), err)
						return
					}
					ok := ans.Verdict.Outcome == reason.Allow
					op.Output = ok
					if ok && !a.cancel {
						mine = append(mine, a)
					}
					mu.Lock()
					history = append(history, op)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if got := porcupine.CheckOperationsTimeout(slotModel(places), history, time.Minute); got != porcupine.Ok {
			t.Fatalf("%d acts: %s", len(history), got)
		}
		// One refusal that is told as a sale is a place too many, and is found.
		for i, op := range history {
			if a := op.Input.(act); !a.cancel && !op.Output.(bool) {
				history[i].Output = true
				if got := porcupine.CheckOperationsTimeout(slotModel(places), history, time.Minute); got != porcupine.Illegal {
					t.Errorf("a place too many is not found: %s", got)
				}
				return
			}
		}
		t.Error("no slot was full")
	})
}
