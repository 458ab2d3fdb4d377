// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/adler32"
	"io"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// inflater unfolds zlib streams (RFC 1950) with a decoder and a buffer of its own that
// are used again.
type inflater struct {
	in  bytes.Reader
	dec io.ReadCloser
	out []byte
	n   int // bytes of out that were written
}

// zeros is what the inflater's memory of a stream is written over with.
var zeros [32 << 10]byte

// wipe forgets what was unfolded: in the buffer, and in the decoder's window, which holds
// the stream from its start.
func (f *inflater) wipe() {
	clear(f.out[:f.n])
	f.in.Reset(nil)
	if f.dec != nil && f.n > 0 {
		_ = f.dec.(flate.Resetter).Reset(&f.in, zeros[:min(f.n, len(zeros))]) // it has no error to give
	}
	f.n = 0
}

// firstOut is the size in bytes with which the buffer begins: twice the largest
// certificate that is known.
const firstOut = 8 << 10

// inflate returns the bytes of a zlib stream, in the inflater's own buffer. It refuses
// what unfolds to more than a message may have, a dictionary, a wrong sum, and bytes after
// the stream: they would be under no signature.
func (f *inflater) inflate(b []byte) ([]byte, proof.Fault) {
	const deflate = 8
	if len(b) < 2+4 || b[0]&15 != deflate || b[0]>>4 > 7 || b[1]&0x20 != 0 || (int(b[0])<<8|int(b[1]))%31 != 0 {
		return nil, proof.Unreadable
	}
	f.in.Reset(b[2:])
	if f.dec == nil {
		f.dec = flate.NewReader(&f.in)
	} else if err := f.dec.(flate.Resetter).Reset(&f.in, nil); err != nil {
		return nil, proof.Unreadable
	}
	if f.out == nil {
		f.out = make([]byte, firstOut)
	}
	n := 0
	for {
		if n == len(f.out) {
			if n > cose.MaxSize {
				return nil, proof.TooLarge
			}
			f.out = append(f.out, make([]byte, min(n, cose.MaxSize+1-n))...)
			f.out = f.out[:min(cap(f.out), cose.MaxSize+1)]
		}
		m, err := f.dec.Read(f.out[n:])
		n += m
		f.n = n
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, proof.Unreadable
		}
	}
	if n > cose.MaxSize {
		return nil, proof.TooLarge
	}
	// flate reads no further than its last block, from a source that gives single bytes.
	rest := b[len(b)-f.in.Len():]
	if len(rest) != 4 || binary.BigEndian.Uint32(rest) != adler32.Checksum(f.out[:n]) {
		return nil, proof.Unreadable
	}
	return f.out[:n], ""
}
