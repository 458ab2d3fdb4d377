// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed asset
var assetFiles embed.FS

// asset is one static file, with its content's hash in its address: it may be kept
// for ever, and a new release is a new address.
type asset struct {
	url  string
	mime string
	etag string
	body []byte
	// gzipped is the body compressed, at the first time that it is wanted; nil where that is
	// not smaller.
	gzipped func() []byte
}

// assets holds the static files, by name ("base.css") and by address.
type assets struct {
	byName, byURL map[string]*asset
}

// mimes are the kinds of files that are served. A file of another kind is not.
func mimeOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".wasm":
		return "application/wasm"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return ""
}

func loadAssets(fsys fs.FS) (*assets, error) {
	a := &assets{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	err := fs.WalkDir(fsys, "asset", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || mimeOf(name) == "" {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		short := strings.TrimPrefix(name, "asset/")
		ext := path.Ext(short)
		hash := hex.EncodeToString(sum[:6])
		f := &asset{
			url:  "/asset/" + strings.TrimSuffix(short, ext) + "." + hash + ext,
			mime: mimeOf(name),
			etag: strconv.Quote(hash),
			body: body,
		}
		f.gzipped = sync.OnceValue(f.compress)
		a.byName[short], a.byURL[f.url] = f, f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	return a, nil
}

func (f *asset) compress() []byte {
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one that there is
	}
	_, _ = w.Write(f.body) // a bytes.Buffer takes everything
	_ = w.Close()
	if z.Len() >= len(f.body) {
		return nil
	}
	return bytes.Clone(z.Bytes())
}

// url returns the address of a file by name. A name that is not there is a fault of
// the program, and the template that names it fails when it is first run.
func (a *assets) url(name string) (string, error) {
	f, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("web: no asset %q", name)
	}
	return f.url, nil
}

// optional returns the address of a file by name, empty where there is none.
func (a *assets) optional(name string) string {
	if f, ok := a.byName[name]; ok {
		return f.url
	}
	return ""
}

func (s *server) asset(w http.ResponseWriter, r *request) error {
	h := w.Header()
	keep := "public, max-age=31536000, immutable"
	f, ok := s.assets.byURL[r.URL.Path]
	if !ok {
		// A module that imports another names it without its hash.
		f, ok = s.assets.byName[strings.TrimPrefix(r.URL.Path, "/asset/")]
		keep = "no-cache"
	}
	if !ok {
		return errNotFound
	}
	h.Set("Content-Type", f.mime)
	h.Set("Cache-Control", keep)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := f.body
	if acceptsGzip(r.Request) {
		if z := f.gzipped(); z != nil {
			h.Set("Content-Encoding", "gzip")
			body = z
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader who hung up is no fault of ours
	}
	return nil
}

// acceptsGzip reports whether a browser takes gzip. "gzip;q=0" is the only refusal
// that is looked for.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}
