// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"testing"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/gate"
)

// No serial is acknowledged whose used pass is not named in the same ask.
func TestAcknowledgesNoMoreThanItNames(t *testing.T) {
	h := gate.Heard{Serial: 9000}
	for i := range uint64(booking.MaxUsed + 500) {
		h.Used = append(h.Used, gate.UsedPass{Serial: 7000 - 2*i})
	}
	after, used := acknowledged(h)
	named := map[uint64]bool{}
	for _, u := range used {
		named[u.Serial] = true
	}
	for _, u := range h.Used {
		if u.Serial <= after && !named[u.Serial] {
			t.Fatalf("%d is acknowledged up to %d, and not named", u.Serial, after)
		}
	}
	if len(used) != booking.MaxUsed || after != used[len(used)-1].Serial+1 {
		t.Errorf("%d named, %d acknowledged", len(used), after)
	}
	// The rest comes with the next round, and then all is heard.
	left := h
	left.Used = nil
	for _, u := range h.Used {
		if u.Serial > after {
			left.Used = append(left.Used, u)
		}
	}
	if after, used = acknowledged(left); after != 9000 || len(used) != 500 {
		t.Errorf("%d named, %d acknowledged", len(used), after)
	}
}
