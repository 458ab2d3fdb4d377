// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"darwaza.dev/internal/service"
)

// healthz says whether the server can read its state. It says nothing else.
func (s *server) healthz(w http.ResponseWriter, r *request) error {
	if err := s.view(r.Context(), func(service.State) error { return nil }); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
	return nil
}
