// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"darwaza.dev/internal/booking"
	"darwaza.dev/internal/pass"
)

// buyer is whom the goods desk serves, as a page's address carries it from one step to
// the next: sealed, so that an address tells no name and no number and cannot be made
// up, and any server of this side can read it.
type buyer struct {
	Pass pass.ID  `json:"p"`
	Tag  [16]byte `json:"t"`
	Day  uint16   `json:"d"`
	Gen  uint8    `json:"g,omitempty"` // generation of the pass that was shown
	// Kind is the kind of the document.
	Kind string `json:"k"`
	// Ref and Member are the booking, where this side sold the pass.
	Ref    booking.Ref `json:"r,omitempty"`
	Member int         `json:"m,omitempty"`
	// Name and Number were read from the document, where the other side sold it.
	Name   string `json:"n,omitempty"`
	Number string `json:"o,omitempty"`
	Until  int64  `json:"x"` // seconds since 1970
}

// tokens seals what addresses carry.
type tokens struct {
	aead cipher.AEAD
	rand io.Reader
}

func newTokens(secret []byte, rand io.Reader) (*tokens, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "darwaza.dev/desk/1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &tokens{aead: aead, rand: rand}, nil
}

// seal returns base64url( nonce, 12 bytes ‖ AES-256-GCM of the buyer's JSON ).
func (k *tokens) seal(b buyer) (string, error) {
	plain, err := json.Marshal(b)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return "", fmt.Errorf("web: no random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, plain, nil)), nil
}

func (k *tokens) open(text string, now time.Time) (buyer, bool) {
	var b buyer
	if len(text) > 1024 {
		return b, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < k.aead.NonceSize() {
		return b, false
	}
	n := k.aead.NonceSize()
	plain, err := k.aead.Open(nil, raw[:n], raw[n:], nil)
	if err != nil || json.Unmarshal(plain, &b) != nil || now.Unix() >= b.Until {
		return buyer{}, false
	}
	return b, true
}
