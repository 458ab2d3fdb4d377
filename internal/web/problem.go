// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"darwaza.dev/internal/problem"
)

// Problems that only the server itself gives.
var (
	errNotFound = problem.New(problem.NotFound, "page")
	errMethod   = problem.New(problem.Invalid, "method")
	errSignIn   = problem.New(problem.Forbidden, "sign-in")
)

// statusOf is the HTTP status of a problem.
func statusOf(err error) int {
	switch code := problem.CodeOf(err); code {
	case "method":
		return http.StatusMethodNotAllowed
	case "sign-in":
		return http.StatusUnauthorized
	case "content-type":
		return http.StatusUnsupportedMediaType
	case "body", "form.fields", "form.field":
		return http.StatusRequestEntityTooLarge
	}
	switch problem.KindOf(err) {
	case problem.Invalid:
		// A call that is whole, with a document or a temperature in it that cannot be one.
		if code := problem.CodeOf(err); code == "temperature" || code == "document" || strings.HasPrefix(code, "document.") {
			return http.StatusUnprocessableEntity
		}
		return http.StatusBadRequest
	case problem.NotFound:
		return http.StatusNotFound
	case problem.Conflict:
		return http.StatusConflict
	case problem.Forbidden:
		return http.StatusForbidden
	case problem.Limit:
		return http.StatusTooManyRequests
	case problem.Offline:
		return http.StatusServiceUnavailable
	case problem.Untrusted:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// problemDocument is application/problem+json (RFC 9457). It names the field at
// fault and never holds a value that was sent.
type problemDocument struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Code     string `json:"code"`
	Field    string `json:"field,omitempty"`
	Instance string `json:"instance"` // urn:darwaza:request: and the id that stands in the log
}

// problemView is the page of a problem.
type problemView struct {
	Kind, Code string
	ID         string
	// Done is true where the act was done and only the page about it failed.
	Done bool
	// Again holds the fields of a form whose answer was lost, so that one press sends
	// the very same act again: it is done once.
	Again  []hiddenField
	Action string
}

// hiddenField is one field carried through a page.
type hiddenField struct{ Name, Value string }

// sortFields puts fields in order of their names, so that a page is the same each time.
func sortFields(f []hiddenField) {
	sort.SliceStable(f, func(i, j int) bool { return f[i].Name < f[j].Name })
}

// problem answers a request that could not be done.
func (s *server) problem(w *recorder, r *request, rt *route, err error) {
	if w.status != 0 {
		return // the answer had begun; the reader sees it break off, the log says why
	}
	status := statusOf(err)
	h := w.Header()
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	if rt != nil && rt.access.api || rt == nil && isAPI(r.Path) {
		if status == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", "Bearer")
		}
		kind := problem.KindOf(err).String()
		s.json(w, status, "application/problem+json", problemDocument{
			Type:     "urn:darwaza:problem:" + kind,
			Title:    s.deps.Texts.Say(r.Lang, "problem."+kind, nil),
			Status:   status,
			Code:     problem.CodeOf(err),
			Field:    problem.FieldOf(err),
			Instance: "urn:darwaza:request:" + r.ID,
		})
		return
	}
	if status == http.StatusUnauthorized && r.Method == http.MethodGet {
		_ = s.redirect(w, r, "/sign-in?next="+urlQuery(r.Path))
		return
	}
	v := problemView{Kind: problem.KindOf(err).String(), Code: problem.CodeOf(err), ID: r.ID, Done: r.Done}
	if v.Kind == problem.Internal.String() {
		v.Code = "" // nothing is said about it in public
	}
	if status == http.StatusServiceUnavailable && !r.Done && r.Method == http.MethodPost && r.PostForm.Has("idem") {
		v.Action = r.Path
		for name, values := range r.PostForm {
			for _, value := range values {
				v.Again = append(v.Again, hiddenField{name, value})
			}
		}
		sortFields(v.Again)
	}
	if err := s.render(w, r, page{Name: "problem", View: v, Status: status}); err != nil && w.status == 0 {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// json answers with a document.
func (s *server) json(w http.ResponseWriter, status int, mime string, v any) {
	b, err := json.Marshal(v)
	if err != nil { // only a fault of the program makes one
		status, mime, b = http.StatusInternalServerError, "text/plain", []byte("internal")
	}
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
