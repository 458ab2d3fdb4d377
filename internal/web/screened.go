// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"darwaza.dev/internal/gate"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/service"
)

// screenedFor is how long what was measured of somebody at the gate is carried from a
// scan that was refused for a wrongly keyed document to the one that corrects it.
const screenedFor = 10 * time.Minute

// screened is what was measured, as the officer's page carries it: sealed, so that no
// health value stands in a page, and kept nowhere else.
type screened struct {
	Temp     int16 `json:"t"`
	Symptoms bool  `json:"s"`
	// Answers are those to what else was asked.
	Answers []gate.Answered `json:"a,omitempty"`
	Until   int64           `json:"x"` // seconds since 1970
}

// screenedAs binds what is sealed to its use and to the pass of whom it was measured.
func screenedAs(id pass.ID) []byte { return append([]byte("darwaza.dev/gate/screened/1\n"), id[:]...) }

// sealScreening returns base64url( nonce, 12 bytes ‖ AES-256-GCM of the JSON ), with the
// pass as additional data.
func (k *tokens) sealScreening(sc service.Screening, id pass.ID, now time.Time) (string, error) {
	plain, err := json.Marshal(screened{Temp: sc.TempTenths, Symptoms: sc.Symptoms, Answers: sc.Answers, Until: now.Add(screenedFor).Unix()})
	if err != nil {
		return "", err
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return "", fmt.Errorf("web: no random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, screenedAs(id))), nil
}

// openScreening is false, with nothing measured, where the text is not one of this
// side's for that pass, or has ended: the gate asks again.
func (k *tokens) openScreening(text string, id pass.ID, now time.Time) (service.Screening, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if n := k.aead.NonceSize(); err == nil && len(text) <= maxField && len(raw) >= n {
		var m screened
		plain, err := k.aead.Open(nil, raw[:n], raw[n:], screenedAs(id))
		if err == nil && json.Unmarshal(plain, &m) == nil && now.Unix() < m.Until {
			return service.Screening{Done: true, TempTenths: m.Temp, Symptoms: m.Symptoms, Answers: m.Answers}, true
		}
	}
	return service.Screening{}, false
}
