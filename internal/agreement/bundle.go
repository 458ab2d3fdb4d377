// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// A bundle is a package in one file: a ZIP archive (PKWARE APPNOTE 6.3) with the files
// of the folder under their paths.
//
// Bundle writes one spelling of it: entries sorted by path and stored as they are, no
// times, no comments, no attributes. So one package has one bundle, byte for byte, with
// every version of the compressor. What others wrote is read as long as nothing in it
// can be read in two ways:
//
//	local header │ name │ extra │ bytes │ descriptor?    for each entry, with no gap
//	central header │ name │ extra                        for each entry, the same again
//	end record                                           22 bytes, the last of the file
//
// Refused are archives in parts, ZIP64, encryption and any flag that is not known here,
// links and other things that are no plain file, two entries of one name, a local header
// that differs from the central one, and bytes that belong to no entry.

// MaxBundle is the most bytes that a bundle or a patch may have.
const MaxBundle = maxTotal + 1<<20

// ErrBundle is the error of a file that is no acceptable bundle.
var ErrBundle = errors.New("agreement: not an acceptable bundle")

const (
	zipLocal   = 0x04034b50
	zipCentral = 0x02014b50
	zipEnd     = 0x06054b50
	zipData    = 0x08074b50

	localLen   = 30
	centralLen = 46
	endLen     = 22

	zipStored   = 0
	zipDeflated = 8

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagLevel      = 3 << 1 // how hard the compressor tried

	maxExtra   = 64                    // bytes beside the name of an entry; tools keep times there
	maxEntries = maxFiles + 1          // a patch has one more than a package
	maxName    = maxPath + len("new/") // and its files lie deeper
)

// Bundle returns a package as one file. A folder that Load would refuse for its files
// cannot be bundled: the error is Faults.
func Bundle(fsys fs.FS) ([]byte, error) {
	f, faults := readFolder(fsys)
	if len(faults) > 0 {
		faults.Sort()
		return nil, faults
	}
	return zipped(f.files), nil
}

// OpenBundle returns the folder that a bundle holds. It is as untrusted as any folder:
// Load and Check look at what is in it. A file that is no acceptable bundle wraps
// ErrBundle.
func OpenBundle(b []byte) (fs.FS, error) {
	files, err := unzipped(b)
	if err != nil {
		return nil, err
	}
	return memory(files), nil
}

// IsBundle reports whether a file begins as a bundle or a patch does.
func IsBundle(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == zipLocal
}

// zipped writes an archive of files by path.
func zipped(files map[string][]byte) []byte {
	le := binary.LittleEndian
	var b, dir []byte
	for _, p := range slices.Sorted(maps.Keys(files)) {
		data := files[p]
		var common []byte // from "version needed" to "length of extra"
		common = le.AppendUint16(common, 20)
		common = le.AppendUint16(common, 0)         // flags
		common = le.AppendUint16(common, zipStored) // method
		common = le.AppendUint16(common, 0)         // time
		common = le.AppendUint16(common, 1<<5|1)    // date: 1 January 1980, the first that there is
		common = le.AppendUint32(common, crc32.ChecksumIEEE(data))
		common = le.AppendUint32(common, uint32(len(data)))
		common = le.AppendUint32(common, uint32(len(data)))
		common = le.AppendUint16(common, uint16(len(p)))
		common = le.AppendUint16(common, 0)

		dir = le.AppendUint32(dir, zipCentral)
		dir = le.AppendUint16(dir, 20) // made by: MS-DOS, version 2.0
		dir = append(dir, common...)
		dir = append(dir, make([]byte, 10)...) // comment, disk, attributes
		dir = le.AppendUint32(dir, uint32(len(b)))
		dir = append(dir, p...)

		b = le.AppendUint32(b, zipLocal)
		b = append(b, common...)
		b = append(b, p...)
		b = append(b, data...)
	}
	at := len(b)
	b = append(b, dir...)
	b = le.AppendUint32(b, zipEnd)
	b = le.AppendUint32(b, 0) // disks
	b = le.AppendUint16(b, uint16(len(files)))
	b = le.AppendUint16(b, uint16(len(files)))
	b = le.AppendUint32(b, uint32(len(dir)))
	b = le.AppendUint32(b, uint32(at))
	return le.AppendUint16(b, 0)
}

// zipEntry is one entry by its central header.
type zipEntry struct {
	name          string
	flags, method uint16
	crc           uint32
	packed, size  int
	at            int // of the local header
}

// unzipped reads an archive. It allocates no more than the archive's own length and
// what the entries may be together, however large they claim to be.
func unzipped(b []byte) (map[string][]byte, error) {
	bad := func(format string, args ...any) (map[string][]byte, error) {
		return nil, fmt.Errorf("%w: %s", ErrBundle, fmt.Sprintf(format, args...))
	}
	le := binary.LittleEndian
	if len(b) > MaxBundle {
		return bad("larger than %d bytes", MaxBundle)
	}
	if len(b) < endLen || le.Uint32(b[len(b)-endLen:]) != zipEnd {
		return bad("it does not end as a zip archive does, or has a comment")
	}
	end := b[len(b)-endLen:]
	count, size, start := int(le.Uint16(end[10:])), int(le.Uint32(end[12:])), int(le.Uint32(end[16:]))
	switch {
	case le.Uint32(end[4:]) != 0 || int(le.Uint16(end[8:])) != count:
		return bad("it is in several parts")
	case le.Uint16(end[20:]) != 0:
		return bad("it has a comment")
	case count > maxEntries:
		return bad("more than %d files", maxEntries)
	case start > len(b)-endLen || size != len(b)-endLen-start:
		return bad("its directory is not where it says")
	}
	entries := make([]zipEntry, 0, count)
	names := make(map[string]bool, count)
	total := 0
	dir := b[start : start+size]
	for range count {
		if len(dir) < centralLen || le.Uint32(dir) != zipCentral {
			return bad("its directory is cut off")
		}
		n, extra, comment := int(le.Uint16(dir[28:])), int(le.Uint16(dir[30:])), int(le.Uint16(dir[32:]))
		if n == 0 || n > maxName || extra > maxExtra || comment != 0 || len(dir) < centralLen+n+extra {
			return bad("an entry with a name, an extra field or a comment that is too long")
		}
		e := zipEntry{name: string(dir[centralLen : centralLen+n]), flags: le.Uint16(dir[8:]), method: le.Uint16(dir[10:]), crc: le.Uint32(dir[16:]),
			packed: int(le.Uint32(dir[20:])), size: int(le.Uint32(dir[24:])), at: int(le.Uint32(dir[42:]))}
		system, mode := dir[5], le.Uint32(dir[38:])>>16
		dir = dir[centralLen+n+extra:]
		folder := strings.HasSuffix(e.name, "/")
		switch {
		case !ascii(e.name) || !fs.ValidPath(strings.TrimSuffix(e.name, "/")) || e.name == "." || strings.ContainsAny(e.name, `\:`):
			return bad("%q is not a path in a package", e.name)
		case names[strings.ToLower(e.name)]:
			return bad("%q stands twice", e.name)
		case e.flags&^(flagDescriptor|flagUTF8|flagLevel) != 0:
			return bad("%s: flags %#x, of which some are not known or mean that it is encrypted", e.name, e.flags)
		case e.method != zipStored && e.method != zipDeflated:
			return bad("%s: packed by method %d; stored and deflated are read", e.name, e.method)
		case e.method == zipStored && e.packed != e.size:
			return bad("%s: stored, and of two sizes", e.name)
		case folder && e.size != 0:
			return bad("%s: a folder with bytes", e.name)
		// APPNOTE 4.4.2: 3 is Unix, 19 Darwin; S_IFMT is 0170000, a plain file 0100000, a folder 0040000.
		case (system == 3 || system == 19) && mode&0o170000 != 0 && mode&0o170000 != map[bool]uint32{false: 0o100000, true: 0o040000}[folder]:
			return bad("%s: not a plain file", e.name)
		case e.size > maxFile:
			return bad("%s: larger than %d bytes", e.name, maxFile)
		}
		if total += e.size; total > maxTotal {
			return bad("larger than %d bytes unpacked", maxTotal)
		}
		names[strings.ToLower(e.name)] = true
		entries = append(entries, e)
	}
	if len(dir) != 0 {
		return bad("bytes in its directory that belong to no entry")
	}
	slices.SortFunc(entries, func(a, b zipEntry) int { return a.at - b.at })
	files := make(map[string][]byte, count)
	at := 0
	for _, e := range entries {
		if e.at != at {
			return bad("bytes before %s that belong to no entry, or to two", e.name)
		}
		data, next, err := e.read(b[:start])
		if err != nil {
			return bad("%s: %v", e.name, err)
		}
		at = next
		if !strings.HasSuffix(e.name, "/") {
			files[e.name] = data
		}
	}
	if at != start {
		return bad("bytes between its entries and its directory")
	}
	for p := range files {
		for up := range files {
			if strings.HasPrefix(p, up+"/") {
				return bad("%q is both a file and a folder", up)
			}
		}
	}
	return files, nil
}

// read returns the bytes of an entry and where the next one begins.
func (e zipEntry) read(b []byte) (data []byte, next int, err error) {
	le := binary.LittleEndian
	if len(b)-e.at < localLen || le.Uint32(b[e.at:]) != zipLocal {
		return nil, 0, errors.New("not where the directory says")
	}
	h := b[e.at:]
	n, extra := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	if extra > maxExtra || len(h) < localLen+n+extra || string(h[localLen:localLen+n]) != e.name {
		return nil, 0, errors.New("two names")
	}
	later := e.flags&flagDescriptor != 0
	crc, packed, size := le.Uint32(h[14:]), int(le.Uint32(h[18:])), int(le.Uint32(h[22:]))
	told := crc == e.crc && packed == e.packed && size == e.size
	if le.Uint16(h[6:]) != e.flags || le.Uint16(h[8:]) != e.method || !told && (!later || crc != 0 || packed != 0 || size != 0) {
		return nil, 0, errors.New("its two headers differ")
	}
	h = h[localLen+n+extra:]
	if e.packed > len(h) {
		return nil, 0, errors.New("cut off")
	}
	body := h[:e.packed]
	next = e.at + localLen + n + extra + e.packed
	if e.method == zipStored {
		data = bytes.Clone(body)
	} else {
		r := bytes.NewReader(body)
		z := flate.NewReader(r)
		data, err = io.ReadAll(io.LimitReader(z, int64(e.size)+1))
		if err != nil {
			return nil, 0, errors.New("cannot be unpacked")
		}
		if r.Len() != 0 {
			return nil, 0, errors.New("bytes after its end")
		}
	}
	if len(data) != e.size || crc32.ChecksumIEEE(data) != e.crc {
		return nil, 0, errors.New("not the bytes that its header tells of")
	}
	if !later {
		return data, next, nil
	}
	// A descriptor is 12 bytes, with or without 4 that name it.
	d := b[next:]
	if len(d) >= 4 && le.Uint32(d) == zipData {
		d, next = d[4:], next+4
	}
	if len(d) < 12 || le.Uint32(d) != e.crc || int(le.Uint32(d[4:])) != e.packed || int(le.Uint32(d[8:])) != e.size {
		return nil, 0, errors.New("its descriptor differs")
	}
	return data, next + 12, nil
}
