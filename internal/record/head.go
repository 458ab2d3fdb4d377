// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"darwaza.dev/internal/problem"
)

// MaxCheckpoint is the greatest length in bytes of a signed checkpoint that is read.
const MaxCheckpoint = 1 << 14

// Checkpoint is the head of a log (tlog-checkpoint):
//
//	<origin>
//	<size>
//	<root in base64>
//
// Extension lines are neither written nor read.
type Checkpoint struct {
	Origin string // the log's name, also that of its key
	Size   uint64
	Root   Hash
}

// Text returns the note text that is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads the note text of a checkpoint in its one form and believes
// nothing in it. The problem is of kind Invalid.
func ParseCheckpoint(text string) (Checkpoint, error) {
	bad := problem.New(problem.Invalid, "record.checkpoint")
	lines := strings.Split(text, "\n")
	if len(text) > MaxCheckpoint || len(lines) != 4 || !validName(lines[0]) {
		return Checkpoint{}, bad
	}
	c := Checkpoint{Origin: lines[0]}
	n, err1 := strconv.ParseUint(lines[1], 10, 63)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err1 != nil || err2 != nil || len(root) != HashSize || n >= maxIndex {
		return Checkpoint{}, bad
	}
	c.Size, c.Root = n, Hash(root)
	if c.Text() != text {
		return Checkpoint{}, bad
	}
	return c, nil
}

// validName is the rule of signed-note for key names.
func validName(s string) bool {
	return s != "" && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsSpace) < 0 && !strings.Contains(s, "+") && len(s) <= 255
}

// The signature types of signed-note and tlog-cosignature.
const (
	algEd25519  = 0x01
	algCosigned = 0x04
)

// Signer signs heads of one log, or cosigns those of another. It prints as its
// verifier key and never as its secret.
type Signer struct {
	name string
	alg  byte
	key  ed25519.PrivateKey
}

// GenerateSigner makes the key of a log from 32 bytes of rand. name is the log's
// origin, such as "a.example.org/pk-ir-border-markets".
func GenerateSigner(name string, rand io.Reader) (*Signer, error) {
	return generate(name, algEd25519, rand)
}

// GenerateCosigner makes a key to cosign other logs with. It must not be the key of
// a log: the cosigned message does not name its signer (tlog-cosignature).
func GenerateCosigner(name string, rand io.Reader) (*Signer, error) {
	return generate(name, algCosigned, rand)
}

func generate(name string, alg byte, rand io.Reader) (*Signer, error) {
	if !validName(name) {
		return nil, problem.New(problem.Invalid, "record.name")
	}
	var seed [ed25519.SeedSize]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, problem.Wrap(problem.Internal, "record.key", err)
	}
	return &Signer{name, alg, ed25519.NewKeyFromSeed(seed[:])}, nil
}

// NewSigner reads a key as Secret writes it.
func NewSigner(secret string) (*Signer, error) {
	bad := problem.New(problem.Invalid, "record.key")
	rest, ok := strings.CutPrefix(strings.TrimSpace(secret), "PRIVATE+KEY+")
	f := strings.SplitN(rest, "+", 3) // base64 may hold a plus
	if !ok || len(f) != 3 || !validName(f[0]) {
		return nil, bad
	}
	b, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil || len(b) != 1+ed25519.SeedSize || b[0] != algEd25519 && b[0] != algCosigned {
		return nil, bad
	}
	s := &Signer{f[0], b[0], ed25519.NewKeyFromSeed(b[1:])}
	if f[1] != fmt.Sprintf("%08x", s.KeyHash()) {
		return nil, bad
	}
	return s, nil
}

// Secret returns the key in the form of signed-note, "PRIVATE+KEY+name+hash+key". It
// is to be kept like one.
func (s *Signer) Secret() string {
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", s.name, s.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{s.alg}, s.key.Seed()...)))
}

// Verifier returns the verifier key, "name+hash+key": what an edition holds of a log.
func (s *Signer) Verifier() string {
	return fmt.Sprintf("%s+%08x+%s", s.name, s.KeyHash(), base64.StdEncoding.EncodeToString(s.public()))
}

func (s *Signer) public() []byte {
	return append([]byte{s.alg}, s.key.Public().(ed25519.PublicKey)...)
}

// String returns the verifier key.
func (s *Signer) String() string { return s.Verifier() }

// Format writes the verifier key for every verb.
func (s *Signer) Format(f fmt.State, _ rune) { io.WriteString(f, s.Verifier()) }

// Name returns the key's name, which is the origin where it is a log's.
func (s *Signer) Name() string { return s.name }

// KeyHash returns the key id: the first 4 bytes of SHA-256(name ‖ "\n" ‖ type ‖ public key).
func (s *Signer) KeyHash() uint32 { return keyHash(s.name, s.public()) }

func keyHash(name string, public []byte) uint32 {
	d := sha256.Sum256(append([]byte(name+"\n"), public...))
	return binary.BigEndian.Uint32(d[:])
}

// line returns the signature line of a note.
func (s *Signer) line(sig []byte) string {
	b := append(binary.BigEndian.AppendUint32(nil, s.KeyHash()), sig...)
	return "— " + s.name + " " + base64.StdEncoding.EncodeToString(b) + "\n"
}

// Sign returns the signed note of a checkpoint of the signer's own log.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	if s.alg != algEd25519 || c.Origin != s.name {
		return nil, problem.New(problem.Internal, "record.signer")
	}
	text := c.Text()
	return []byte(text + "\n" + s.line(ed25519.Sign(s.key, []byte(text)))), nil
}

// Cosign returns the signature line by which a mirror or witness says that it has
// checked a checkpoint and, as a mirror, stored all that it covers. text is the note
// text; at is in whole seconds.
func (s *Signer) Cosign(text string, at time.Time) (string, error) {
	if s.alg != algCosigned || at.Unix() < 0 {
		return "", problem.New(problem.Internal, "record.signer")
	}
	t := uint64(at.Unix())
	sig := binary.BigEndian.AppendUint64(nil, t)
	return s.line(append(sig, ed25519.Sign(s.key, cosigned(t, text))...)), nil
}

// cosigned is the message of a version 1 cosignature.
func cosigned(at uint64, text string) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatUint(at, 10) + "\n" + text)
}

// A Verifier verifies the notes of one key.
type Verifier struct {
	name string
	hash uint32
	alg  byte
	pub  ed25519.PublicKey
}

// NewVerifier reads a verifier key, of a log or of a cosigner.
func NewVerifier(key string) (*Verifier, error) {
	bad := problem.New(problem.Invalid, "record.key")
	f := strings.SplitN(strings.TrimSpace(key), "+", 3)
	if len(f) != 3 || !validName(f[0]) {
		return nil, bad
	}
	b, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != algEd25519 && b[0] != algCosigned {
		return nil, bad
	}
	v := &Verifier{f[0], keyHash(f[0], b), b[0], b[1:]}
	if f[1] != fmt.Sprintf("%08x", v.hash) {
		return nil, bad
	}
	return v, nil
}

// Name returns the key's name.
func (v *Verifier) Name() string { return v.name }

// KeyHash returns the key id.
func (v *Verifier) KeyHash() uint32 { return v.hash }

// Verify reports whether sig is the key's signature of a note text.
func (v *Verifier) Verify(text, sig []byte) bool {
	if v.alg == algEd25519 {
		return ed25519.Verify(v.pub, text, sig)
	}
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= 1<<63-1 && ed25519.Verify(v.pub, cosigned(at, string(text)), sig[8:])
}

// Cosignature is who else has signed a checkpoint, and when.
type Cosignature struct {
	Name string
	At   time.Time
}

// Head is a checkpoint that was verified, with the note as it was signed.
type Head struct {
	Checkpoint
	Note []byte
	// Cosignatures are those of the cosigners that were known to OpenHead.
	Cosignatures []Cosignature
}

// OpenHead verifies a signed checkpoint: the log must have signed it under its own
// name. Signatures by keys that are not given are passed over; one by a key that is
// given and that does not hold makes the note untrusted.
func OpenHead(signed []byte, log *Verifier, cosigners ...*Verifier) (Head, error) {
	if len(signed) > MaxCheckpoint {
		return Head{}, problem.New(problem.Limit, "record.checkpoint")
	}
	known := []note.Verifier{log}
	for _, c := range cosigners {
		known = append(known, c)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return Head{}, problem.Wrap(problem.Untrusted, "record.checkpoint", err)
	}
	h := Head{Note: bytes.Clone(signed)}
	byLog := false
	for _, s := range n.Sigs {
		if s.Name == log.name && s.Hash == log.hash {
			byLog = true
			continue
		}
		b, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil || len(b) < 12 {
			continue // another log's plain signature, which has no time
		}
		h.Cosignatures = append(h.Cosignatures, Cosignature{s.Name, time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC()})
	}
	if h.Checkpoint, err = ParseCheckpoint(n.Text); err != nil {
		return Head{}, err
	}
	if !byLog || log.alg != algEd25519 || h.Origin != log.name {
		return Head{}, problem.New(problem.Untrusted, "record.checkpoint")
	}
	return h, nil
}
