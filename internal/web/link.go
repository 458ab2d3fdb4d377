// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"time"

	"darwaza.dev/internal/booking"
)

// A link is a booking that somebody has shown the reference of, for as long as they are
// looking at it. It stands in the address in place of the reference, so that the
// reference never does: an address is kept by browsers, proxies and logs. It opens
// nothing after linkLength, and needs no cookie, which a phone may not keep.
//
//	base64url( nonce, 12 bytes ‖ AES-256-GCM( version 1 ‖ end, 8 bytes ‖ entry + 1, 8 ‖ reference ) )
type link struct {
	Ref booking.Ref
	// Entry is where the booking stands in the log, where that is Known: only to the act
	// itself.
	Entry uint64
	Known bool
}

const (
	linkVersion = 1
	linkLength  = 2 * time.Hour
	maxLink     = 1200 // letters: one that carries the reasons of a refused act is the longest
)

// links seals and opens links.
type links struct{ aead cipher.AEAD }

func newLinks(secret []byte) (links, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "darwaza.dev/booking-link/1", 32)
	if err != nil {
		return links{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return links{}, err
	}
	aead, err := cipher.NewGCM(block)
	return links{aead}, err
}

func (k links) seal(random io.Reader, l link, until time.Time) (string, error) {
	out := make([]byte, k.aead.NonceSize(), 80)
	if _, err := io.ReadFull(random, out); err != nil {
		return "", err
	}
	plain := binary.BigEndian.AppendUint64([]byte{linkVersion}, uint64(until.Unix()))
	entry := uint64(0)
	if l.Known {
		entry = l.Entry + 1
	}
	plain = binary.BigEndian.AppendUint64(plain, entry)
	plain = append(plain, l.Ref...)
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(out, out, plain, nil)), nil
}

func (k links) open(text string, now time.Time) (link, bool) {
	if len(text) > maxLink {
		return link{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < k.aead.NonceSize() {
		return link{}, false
	}
	n := k.aead.NonceSize()
	plain, err := k.aead.Open(nil, b[:n], b[n:], nil)
	if err != nil || len(plain) < 17 || plain[0] != linkVersion || now.Unix() >= int64(binary.BigEndian.Uint64(plain[1:])) {
		return link{}, false
	}
	l := link{Ref: booking.Ref(plain[17:])}
	if n := binary.BigEndian.Uint64(plain[9:]); n > 0 {
		l.Entry, l.Known = n-1, true
	}
	return l, true
}
