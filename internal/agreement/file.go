// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of a package. What is larger is refused before anything is parsed.
const (
	maxFiles = 512
	maxFile  = 1 << 20 // bytes of a CSV file or a text beside
	maxYAML  = 1 << 18 // bytes of a YAML file
	maxTotal = 8 << 20
	maxWords = 1 << 20 // bytes of all YAML files together: they cost the most to read
	maxPath  = 100
)

// File is one file of a package, as it is signed.
type File struct {
	Path   string // relative, with slashes
	Size   int64
	SHA256 [32]byte
}

// folder is a package as bytes.
type folder struct {
	files map[string][]byte
	paths []string // sorted
}

// readFolder reads every file of a package. It follows nothing that is not a plain
// file, and refuses names that two systems could read as different files.
func readFolder(fsys fs.FS) (folder, Faults) {
	f := folder{files: map[string][]byte{}}
	var faults Faults
	var total, words int64
	entries := 0
	folded := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == "." {
			return nil
		}
		if entries++; entries > maxFiles {
			faults = append(faults, Fault{File: p, What: fmt.Sprintf("more than %d files and folders", maxFiles), Mend: "leave out what is not part of the agreement"})
			return fs.SkipAll
		}
		if fault, bad := checkPath(p, d); bad {
			faults = append(faults, fault)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if other, twice := folded[strings.ToLower(p)]; twice {
			faults = append(faults, Fault{File: p, What: "differs from " + other + " by capitals alone", Mend: "give one of them another name: some file systems keep only one"})
			return nil
		}
		folded[strings.ToLower(p)] = p
		limit := int64(maxFile)
		if path.Ext(p) == ".yaml" {
			limit = maxYAML
		}
		b, err := readFile(fsys, p, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if int64(len(b)) > limit {
			faults = append(faults, Fault{File: p, What: fmt.Sprintf("larger than %d bytes", limit), Mend: "split the file"})
			return nil
		}
		if fault, bad := plainText(p, b); bad {
			faults = append(faults, fault)
			return nil
		}
		if total += int64(len(b)); total > maxTotal {
			faults = append(faults, Fault{File: p, What: fmt.Sprintf("the package is larger than %d bytes", maxTotal), Mend: "leave out what is not part of the agreement"})
			return fs.SkipAll
		}
		if path.Ext(p) == ".yaml" {
			words += int64(len(b))
		}
		if words > maxWords {
			faults = append(faults, Fault{File: p, What: fmt.Sprintf("the YAML files of the package are larger than %d bytes together", maxWords), Mend: "move lists and tables into CSV, or split the agreement"})
			return fs.SkipAll
		}
		f.files[p] = b
		f.paths = append(f.paths, p)
		return nil
	})
	if err != nil {
		faults = append(faults, Fault{File: ".", What: "cannot be read: " + err.Error()})
	}
	slices.Sort(f.paths)
	return f, faults
}

func readFile(fsys fs.FS, p string, limit int64) ([]byte, error) {
	r, err := fsys.Open(p)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	return b, errors.Join(err, r.Close())
}

// folders are the directories of a package and the kinds of file in each.
func folders(dir string) []string {
	switch dir {
	case ".":
		return []string{".yaml", ".md"}
	case "parameters", "clauses", "schedule", "sharing", "tests":
		return []string{".yaml", ".md"}
	case "lists", "tables":
		return []string{".yaml", ".csv", ".md"}
	case "health":
		return []string{".yaml", ".json", ".md"}
	case "keys":
		return []string{".yaml", ".cert", ".md"}
	case "signatures":
		return []string{".sig"}
	}
	return nil
}

func checkPath(p string, d fs.DirEntry) (Fault, bool) {
	bad := func(what, mend string) (Fault, bool) { return Fault{File: p, What: what, Mend: mend}, true }
	if len(p) > maxPath || !fs.ValidPath(p) {
		return bad("not an acceptable path", "use a short name")
	}
	for _, part := range strings.Split(p, "/") {
		if !plainName(part) {
			return bad("not an acceptable name", "use small Latin letters, digits, dash and dot, beginning with a letter or digit (README.md, LICENSE.md, A and B are allowed too)")
		}
	}
	if d.IsDir() {
		if folders(p) == nil {
			return bad("not a folder that this version reads", "take it out; known are parameters, lists, tables, clauses, schedule, health, sharing, tests, keys, signatures")
		}
		return Fault{}, false
	}
	if !d.Type().IsRegular() {
		return bad("not a plain file", "put the file itself into the package, no link")
	}
	if !slices.Contains(folders(path.Dir(p)), path.Ext(p)) {
		return bad("not a file that belongs here", fmt.Sprintf("take it out; allowed here: %s", strings.Join(folders(path.Dir(p)), " ")))
	}
	if path.Dir(p) == "." && path.Ext(p) == ".yaml" && p != "agreement.yaml" {
		return bad("not a file that belongs here", "put it into one of the folders")
	}
	return Fault{}, false
}

// plainName reports whether a name is the same on every file system: one alphabet,
// one case but for a few well-known names.
func plainName(s string) bool {
	if s == "README.md" || s == "LICENSE.md" {
		return true
	}
	base := s
	if rest, ok := strings.CutPrefix(s, "A"); ok {
		base = "a" + rest
	} else if rest, ok := strings.CutPrefix(s, "B"); ok {
		base = "b" + rest
	}
	for i := 0; i < len(base); i++ {
		c := base[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '-' || c == '.') {
			continue
		}
		return false
	}
	return base != "" && !strings.Contains(base, "..") && !strings.HasSuffix(base, ".")
}

// plainText faults a text that is not the same to every reader: other encodings, line
// ends that a tool may rewrite under the signature, and characters that hide or turn
// around what stands beside them.
func plainText(p string, b []byte) (Fault, bool) {
	if ext := path.Ext(p); ext == ".sig" || ext == ".cert" {
		return Fault{}, false
	}
	if !utf8.Valid(b) {
		return Fault{File: p, What: "not UTF-8 text", Mend: "save it as UTF-8"}, true
	}
	line := 1
	for _, c := range string(b) {
		switch {
		case c == '\n':
			line++
		case c == '\r':
			return Fault{File: p, Line: line, What: "line ends with carriage returns", Mend: "save it with LF alone, as it is signed byte by byte"}, true
		case c == '\ufeff':
			return Fault{File: p, Line: line, What: "a byte order mark", Mend: "save it as UTF-8 without one"}, true
		case c < ' ' && c != '\t', c >= 0x7f && c <= 0x9f, c == '\u2028', c == '\u2029':
			return Fault{File: p, Line: line, What: fmt.Sprintf("a control character, %U", c), Mend: "take it out"}, true
		case c == '\u200b', c == '\u00ad', c >= '\u2060' && c <= '\u2064', c >= '\U000e0000' && c <= '\U000e007f':
			return Fault{File: p, Line: line, What: fmt.Sprintf("a character that nobody sees, %U", c), Mend: "take it out"}, true
		case c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069':
			return Fault{File: p, Line: line, What: fmt.Sprintf("a character that turns text around, %U", c), Mend: "take it out; the pages set the direction"}, true
		}
	}
	return Fault{}, false
}

// signed returns the files that are signed, in order.
func (f folder) signed() []File {
	var out []File
	for _, p := range f.paths {
		if path.Dir(p) == "signatures" {
			continue
		}
		out = append(out, File{p, int64(len(f.files[p])), sha256.Sum256(f.files[p])})
	}
	return out
}

// in returns the paths of a folder with an extension, in order.
func (f folder) in(dir, ext string) []string {
	var out []string
	for _, p := range f.paths {
		if path.Dir(p) == dir && path.Ext(p) == ext {
			out = append(out, p)
		}
	}
	return out
}

// Overlay returns the folder with the files laid over it: where a path is in both,
// the bytes of files stand. It is how keys and signatures join a package that lies
// in the binary. What it returns is a copy in memory; it holds no more than Load
// reads, so that a folder that is too large still fails there.
func Overlay(fsys fs.FS, files map[string][]byte) (fs.FS, error) {
	all := memory{}
	n := int64(0)
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("agreement: %s is not a plain file", p)
		}
		b, err := readFile(fsys, p, maxFile)
		if n += int64(len(b)); n > 2*maxTotal {
			return fmt.Errorf("agreement: package too large")
		}
		all[p] = b
		return err
	})
	if err != nil {
		return nil, err
	}
	for p, b := range files {
		if !fs.ValidPath(p) || p == "." {
			return nil, fmt.Errorf("agreement: %q is not a path", p)
		}
		all[p] = bytes.Clone(b)
	}
	return all, nil
}

// memory is a folder in memory.
type memory map[string][]byte

// Open opens a file or, by the names of the files in it, a folder.
func (m memory) Open(name string) (fs.File, error) {
	if b, ok := m[name]; ok {
		return &memoryFile{memoryInfo{path.Base(name), int64(len(b)), false}, bytes.NewReader(b)}, nil
	}
	entries, err := m.ReadDir(name)
	if err != nil {
		return nil, err
	}
	return &memoryDir{memoryInfo{path.Base(name), 0, true}, entries}, nil
}

// ReadDir lists a folder, sorted by name.
func (m memory) ReadDir(name string) ([]fs.DirEntry, error) {
	prefix := name + "/"
	if name == "." {
		prefix = ""
	}
	seen := map[string]memoryInfo{}
	for p, b := range m {
		rest, ok := strings.CutPrefix(p, prefix)
		if !ok {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		if deeper {
			seen[first] = memoryInfo{first, 0, true}
		} else {
			seen[first] = memoryInfo{first, int64(len(b)), false}
		}
	}
	if len(seen) == 0 && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	out := make([]fs.DirEntry, 0, len(seen))
	for _, i := range seen {
		out = append(out, fs.FileInfoToDirEntry(i))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

type memoryInfo struct {
	name string
	size int64
	dir  bool
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return i.size }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return i.dir }
func (i memoryInfo) Sys() any           { return nil }
func (i memoryInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type memoryFile struct {
	memoryInfo
	*bytes.Reader
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f.memoryInfo, nil }
func (f *memoryFile) Size() int64                { return f.memoryInfo.size }
func (f *memoryFile) Close() error               { return nil }

type memoryDir struct {
	memoryInfo
	entries []fs.DirEntry
}

func (d *memoryDir) Stat() (fs.FileInfo, error) { return d.memoryInfo, nil }
func (d *memoryDir) Close() error               { return nil }
func (d *memoryDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir returns the next entries, all of them where n is 0 or less.
func (d *memoryDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.entries) {
		if n > 0 && len(d.entries) == 0 {
			return nil, io.EOF
		}
		n = len(d.entries)
	}
	out := d.entries[:n]
	d.entries = d.entries[n:]
	return out, nil
}
