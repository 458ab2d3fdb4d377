// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a new sign-in word's verifier: Argon2id with 19 MiB, two passes and one
// lane, the first choice of OWASP's password storage advice. Each verifier states its
// own cost, so that a later release may raise it.
const (
	wordMemory = 19 * 1024 // KiB
	wordPasses = 2
	wordLanes  = 1
	wordSalt   = 16
	wordKey    = 32
)

// The bounds within which a stored verifier is believed, so that a row that was tampered
// with cannot make the server spend a gigabyte on a sign-in.
const (
	maxWordMemory = 256 * 1024
	maxWordPasses = 16
	maxWordLanes  = 16
)

// MaxWord is the greatest length of a sign-in word in bytes, MinWord the least number
// of characters that a person may choose.
const (
	MaxWord = 256
	MinWord = 10
)

var errWord = errors.New("web: not a verifier of a sign-in word")

// NewWord returns a random sign-in word, to be shown to one person once: three groups
// of four characters, 59 random bits, without the letters that are taken for digits.
func NewWord(rand io.Reader) (string, error) {
	const letters = "23456789abcdefghjkmnpqrstuvwxyz*"
	// The last of the 32 is not a letter that people can dictate: draw again.
	var b [1]byte
	var s strings.Builder
	for n := 0; n < 12; {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", err
		}
		c := letters[b[0]&31]
		if c == '*' {
			continue
		}
		if n > 0 && n%4 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(c)
		n++
	}
	return s.String(), nil
}

// HashWord returns the verifier of a sign-in word in PHC string form:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// with salt and key in base64 without padding.
func HashWord(rand io.Reader, word string) (string, error) {
	salt := make([]byte, wordSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", err
	}
	return formatWord(wordMemory, wordPasses, wordLanes, salt,
		argon2.IDKey([]byte(word), salt, wordPasses, wordMemory, wordLanes, wordKey)), nil
}

func formatWord(m, t uint32, p uint8, salt, key []byte) string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, m, t, p, e.EncodeToString(salt), e.EncodeToString(key))
}

// VerifyWord reports whether word is the one that the verifier was made of. The
// comparison takes the same time wherever the two differ.
func VerifyWord(verifier, word string) (bool, error) {
	m, t, p, salt, key, err := parseWord(verifier)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(word), salt, t, m, p, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

func parseWord(s string) (m, t uint32, p uint8, salt, key []byte, err error) {
	fail := func() (uint32, uint32, uint8, []byte, []byte, error) { return 0, 0, 0, nil, nil, errWord }
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return fail()
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return fail()
	}
	var n [3]uint64
	for i, c := range []struct {
		name string
		max  uint64
	}{{"m=", maxWordMemory}, {"t=", maxWordPasses}, {"p=", maxWordLanes}} {
		digits, ok := strings.CutPrefix(costs[i], c.name)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || v < 1 || v > c.max {
			return fail()
		}
		n[i] = v
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 || n[0] < 8*n[2] {
		return fail()
	}
	return uint32(n[0]), uint32(n[1]), uint8(n[2]), salt, key, nil
}
