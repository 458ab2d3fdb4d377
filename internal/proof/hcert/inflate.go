// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package hcert

import (
	"encoding/binary"
	"hash/adler32"
	"math/bits"

	"darwaza.dev/internal/cose"
	"darwaza.dev/internal/proof"
)

// inflater unfolds zlib streams (RFC 1950, RFC 1951) that lie in memory whole, into a
// buffer that is used again. It is here because that of the standard library takes half as
// long again, for a certificate of half a kilobyte, as everything else around the signature
// together, and keeps what it has unfolded. A fuzz target holds the two against each other.
type inflater struct {
	out []byte
	n   int // bytes of out that are written

	src  []byte
	pos  int    // next byte of src
	bits uint64 // read ahead, the next bit lowest
	have uint   // how many

	literals, distances           huffman
	fixedLiterals, fixedDistances *huffman // made once, nil until a block wants them
	lengths                       [maxLiterals + maxDistances]byte
}

// The numbers of symbols of the two codes (RFC 1951 section 3.2.5).
const (
	maxLiterals  = 288
	maxDistances = 32
	maxCodeBits  = 15
)

// lookBits is how many bits are looked up at once. Longer codes are walked bit by bit; they
// are of rare symbols.
const lookBits = 9

// A huffman is a canonical code (RFC 1951 section 3.2.2).
type huffman struct {
	look    [1 << lookBits]uint16 // by the next bits: symbol<<4 | length, 0 for a longer code or none
	count   [maxCodeBits + 1]uint16
	symbols [maxLiterals]uint16 // in the order of their codes
}

// make builds the code of symbols of given lengths, 0 for those that do not occur. It is
// false for lengths that overlap, or that leave room, save for one code of one bit, or none.
func (h *huffman) make(lengths []byte) bool {
	clear(h.look[:])
	var count [maxCodeBits + 1]uint16
	var some [maxLiterals]uint16 // the symbols that occur: a quarter of them, as a rule
	used := 0
	for i := 0; i < len(lengths); i += 8 {
		var w uint64
		if rest := lengths[i:]; len(rest) >= 8 {
			w = binary.LittleEndian.Uint64(rest)
		} else {
			for j, n := range rest {
				w |= uint64(n) << (8 * j)
			}
		}
		for w != 0 {
			at := bits.TrailingZeros64(w) &^ 7
			count[w>>at&maxCodeBits]++
			some[used] = uint16(i + at>>3)
			used++
			w &^= 0xff << at
		}
	}
	left := 1
	var offset [maxCodeBits + 2]uint16
	for n := 1; n <= maxCodeBits; n++ {
		left = left<<1 - int(count[n])
		if left < 0 {
			return false
		}
		offset[n+1] = offset[n] + count[n]
	}
	if left > 0 && used > 0 && (used != 1 || count[1] != 1) {
		return false
	}
	h.count = count
	for _, symbol := range some[:used] {
		n := lengths[symbol] & maxCodeBits
		h.symbols[offset[n]] = symbol
		offset[n]++
	}
	// A code is sent with its highest bit first, so that in the table it stands the other
	// way round, and all its ends after it. The table doubles with each length: what stood
	// in it already is said for both values of the new bit.
	i, code := 0, 0
	for n := 1; n <= lookBits; n++ {
		size := 1 << n
		copy(h.look[size>>1:size], h.look[:size>>1])
		for range count[n] {
			h.look[code&(size-1)] = h.symbols[i]<<4 | uint16(n)
			i++
			// One more, of bits the other way round.
			zeros := ^code & (size - 1)
			if zeros == 0 {
				break // it was the last, all ones
			}
			bit := 1 << (bits.Len(uint(zeros)) - 1)
			code = code&(bit-1) | bit
		}
	}
	return true
}

// refill reads ahead. At the end of src fewer bits are there than are asked for.
func (f *inflater) refill() {
	if f.pos+8 <= len(f.src) {
		n := (63 - f.have) >> 3
		f.bits |= binary.LittleEndian.Uint64(f.src[f.pos:]) << f.have
		f.pos += int(n)
		f.have += n * 8
		f.bits &= 1<<f.have - 1
		return
	}
	for f.have <= 56 && f.pos < len(f.src) {
		f.bits |= uint64(f.src[f.pos]) << f.have
		f.pos++
		f.have += 8
	}
}

// take takes n bits, at most 16.
func (f *inflater) take(n uint) (int, bool) {
	if f.have < n {
		if f.refill(); f.have < n {
			return 0, false
		}
	}
	v := int(f.bits & (1<<n - 1))
	f.bits >>= n
	f.have -= n
	return v, true
}

// symbol takes one symbol of a code, -1 where there is none.
func (f *inflater) symbol(h *huffman) int {
	if f.have < maxCodeBits {
		f.refill()
	}
	if e := h.look[f.bits&(1<<lookBits-1)]; e != 0 {
		n := uint(e & 15)
		if n > f.have {
			return -1
		}
		f.bits >>= n
		f.have -= n
		return int(e >> 4)
	}
	code, first, index := 0, 0, 0
	for n := uint(1); n <= maxCodeBits && n <= f.have; n++ {
		code |= int(f.bits >> (n - 1) & 1)
		count := int(h.count[n])
		if code-count < first {
			f.bits >>= n
			f.have -= n
			return int(h.symbols[index+code-first])
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return -1
}

// firstOut is the size in bytes with which the buffer begins: twice the largest
// certificate that is known.
const firstOut = 8 << 10

// grow makes room for n more bytes, as long as a message may have them.
func (f *inflater) grow(n int) bool {
	if f.n+n <= len(f.out) {
		return true
	}
	if f.n+n > cose.MaxSize {
		return false
	}
	out := make([]byte, min(max(firstOut, 2*len(f.out), f.n+n), cose.MaxSize))
	copy(out, f.out[:f.n])
	clear(f.out)
	f.out = out
	return true
}

// inflate returns the bytes of a zlib stream, in the inflater's own buffer. It refuses
// what unfolds to more than a message may have, a dictionary, a wrong sum, and bytes after
// the stream: they would be under no signature.
func (f *inflater) inflate(b []byte) ([]byte, proof.Fault) {
	const deflate = 8
	if len(b) < 2+4 || b[0]&15 != deflate || b[0]>>4 > 7 || b[1]&0x20 != 0 || (int(b[0])<<8|int(b[1]))%31 != 0 {
		return nil, proof.Unreadable
	}
	f.src, f.pos, f.bits, f.have, f.n = b[2:], 0, 0, 0, 0
	for last := false; !last; {
		head, ok := f.take(3)
		if !ok {
			return nil, proof.Unreadable
		}
		last = head&1 != 0
		fault := proof.Unreadable
		switch head >> 1 {
		case 0:
			fault = f.stored()
		case 1:
			f.fixed()
			fault = f.block(f.fixedLiterals, f.fixedDistances)
		case 2:
			if f.dynamic() {
				fault = f.block(&f.literals, &f.distances)
			}
		}
		if fault != "" {
			return nil, fault
		}
	}
	// Whole bytes that were read ahead are given back; the rest of the last one is no bit of
	// anything (RFC 1951 section 3.1).
	rest := f.src[f.pos-int(f.have/8):]
	if len(rest) != 4 || binary.BigEndian.Uint32(rest) != adler32.Checksum(f.out[:f.n]) {
		return nil, proof.Unreadable
	}
	return f.out[:f.n], ""
}

// stored reads a block that is not packed (section 3.2.4).
func (f *inflater) stored() proof.Fault {
	f.pos -= int(f.have / 8)
	f.bits, f.have = 0, 0
	if len(f.src)-f.pos < 4 {
		return proof.Unreadable
	}
	n := int(binary.LittleEndian.Uint16(f.src[f.pos:]))
	if n^0xffff != int(binary.LittleEndian.Uint16(f.src[f.pos+2:])) {
		return proof.Unreadable
	}
	f.pos += 4
	if len(f.src)-f.pos < n {
		return proof.Unreadable
	}
	if !f.grow(n) {
		return proof.TooLarge
	}
	f.n += copy(f.out[f.n:], f.src[f.pos:f.pos+n])
	f.pos += n
	return ""
}

// fixed makes the codes that a block of the first kind has (section 3.2.6).
func (f *inflater) fixed() {
	if f.fixedLiterals != nil {
		return
	}
	f.fixedLiterals, f.fixedDistances = new(huffman), new(huffman)
	l := f.lengths[:]
	for i := range maxLiterals {
		switch {
		case i < 144 || i >= 280:
			l[i] = 8
		case i < 256:
			l[i] = 9
		default:
			l[i] = 7
		}
	}
	for i := range maxDistances {
		l[maxLiterals+i] = 5
	}
	f.fixedLiterals.make(l[:maxLiterals])
	f.fixedDistances.make(l[maxLiterals:])
}

// codeOrder is the order in which the lengths of the code of code lengths are sent.
const codeOrder = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"

// dynamic reads the codes of a block of the second kind (section 3.2.7).
func (f *inflater) dynamic() bool {
	head, ok := f.take(14)
	literals, distances, codes := head&31+257, head>>5&31+1, head>>10+4
	if !ok || literals > 286 || distances > 30 {
		return false
	}
	l := f.lengths[:]
	clear(l[:19])
	for i := range codes {
		v, ok := f.take(3)
		if !ok {
			return false
		}
		l[codeOrder[i]] = byte(v)
	}
	if !f.literals.make(l[:19]) {
		return false
	}
	for i := 0; i < literals+distances; {
		// As quick does, as long as there is plenty to read.
		ahead, have, pos := f.bits, f.have, f.pos
		for pos+8 <= len(f.src) && i < literals+distances {
			if have < lookBits+7 {
				ahead |= binary.LittleEndian.Uint64(f.src[pos:]) << have
				pos += int((63 - have) >> 3)
				have |= 56
			}
			e := f.literals.look[ahead&(1<<lookBits-1)]
			n := uint(e & 15)
			if e>>4 < 16 {
				if e == 0 {
					break
				}
				ahead >>= n
				have -= n
				l[i] = byte(e >> 4)
				i++
				continue
			}
			repeat, value, extra := 11, byte(0), uint(7)
			switch e >> 4 {
			case 16:
				repeat, extra = 3, 2
				if i > 0 {
					value = l[i-1]
				}
			case 17:
				repeat, extra = 3, 3
			}
			repeat += int(ahead >> n & (1<<extra - 1))
			if i+repeat > literals+distances || i == 0 && e>>4 == 16 {
				return false
			}
			ahead >>= n + extra
			have -= n + extra
			for j := range l[i : i+repeat] {
				l[i+j] = value
			}
			i += repeat
		}
		f.bits, f.have, f.pos = ahead&(1<<have-1), have, pos
		if i == literals+distances {
			break
		}
		s := f.symbol(&f.literals)
		repeat, value, ok := 1, byte(0), true
		switch {
		case s < 0:
			return false
		case s < 16:
			value = byte(s)
		case s == 16:
			if i == 0 {
				return false
			}
			value = l[i-1]
			repeat, ok = f.take(2)
			repeat += 3
		case s == 17:
			repeat, ok = f.take(3)
			repeat += 3
		default:
			repeat, ok = f.take(7)
			repeat += 11
		}
		if !ok || i+repeat > literals+distances {
			return false
		}
		for range repeat {
			l[i] = value
			i++
		}
	}
	return f.literals.make(l[:literals]) && f.distances.make(l[literals:literals+distances])
}

// Lengths and distances (section 3.2.5): the least of each symbol, and how many bits more
// say how far above it.
var (
	lengthBase    = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra   = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase  = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// block reads literals and copies until the block ends.
func (f *inflater) block(literals, distances *huffman) proof.Fault {
	for {
		f.quick(literals, distances)
		s := f.symbol(literals)
		switch {
		case s < 0:
			return proof.Unreadable
		case s < 256:
			if f.n == len(f.out) && !f.grow(1) {
				return proof.TooLarge
			}
			f.out[f.n] = byte(s)
			f.n++
			continue
		case s == 256:
			return ""
		case s > 285:
			return proof.Unreadable
		}
		extra, ok := f.take(uint(lengthExtra[s-257]))
		if !ok {
			return proof.Unreadable
		}
		length := int(lengthBase[s-257]) + extra
		d := f.symbol(distances)
		if d < 0 || d > 29 {
			return proof.Unreadable
		}
		if extra, ok = f.take(uint(distanceExtra[d])); !ok {
			return proof.Unreadable
		}
		distance := int(distanceBase[d]) + extra
		if distance > f.n {
			return proof.Unreadable
		}
		if !f.grow(length) {
			return proof.TooLarge
		}
		if distance >= length {
			f.n += copy(f.out[f.n:], f.out[f.n-distance:f.n-distance+length])
			continue
		}
		for range length { // it repeats what it has just written
			f.out[f.n] = f.out[f.n-distance]
			f.n++
		}
	}
}

// maxLength is the longest copy.
const maxLength = 258

// quick does what block does as long as there is plenty to read and plenty of room, and
// every code is a short one. What is anything else it leaves to block, untouched.
func (f *inflater) quick(literals, distances *huffman) {
	const (
		mask  = 1<<lookBits - 1
		whole = lookBits + 5 + lookBits + 13 // bits of the longest copy of short codes
	)
	src, out := f.src, f.out
	ahead, have, pos, n := f.bits, f.have, f.pos, f.n
	for pos+8 <= len(src) && n+maxLength <= len(out) {
		if have < whole {
			// What is above have is what the next bytes say, so that nothing is said twice.
			ahead |= binary.LittleEndian.Uint64(src[pos:]) << have
			pos += int((63 - have) >> 3)
			have |= 56
		}
		e := literals.look[ahead&mask]
		s := int(e >> 4)
		if e != 0 && s < 256 {
			ahead >>= e & 15
			have -= uint(e & 15)
			out[n] = byte(s)
			n++
			continue
		}
		if e == 0 || s == 256 || s > 285 {
			break
		}
		used := uint(e & 15)
		extra := uint(lengthExtra[s-257])
		length := int(lengthBase[s-257]) + int(ahead>>used&(1<<extra-1))
		used += extra
		e = distances.look[ahead>>used&mask]
		d := int(e >> 4)
		if e == 0 || d > 29 {
			break
		}
		used += uint(e & 15)
		extra = uint(distanceExtra[d])
		distance := int(distanceBase[d]) + int(ahead>>used&(1<<extra-1))
		used += extra
		if distance > n {
			break
		}
		ahead >>= used
		have -= used
		if distance >= length {
			n += copy(out[n:n+length], out[n-distance:])
			continue
		}
		for range length {
			out[n] = out[n-distance]
			n++
		}
	}
	f.bits, f.have, f.pos, f.n = ahead&(1<<have-1), have, pos, n
}

// wipe forgets what was unfolded.
func (f *inflater) wipe() {
	clear(f.out[:f.n])
	f.n, f.bits, f.src = 0, 0, nil
}
