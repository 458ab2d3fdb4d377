// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

// Package web is the pages and the programs' interface of one side's server: the
// public board and booking, the officers' desks, and the JSON API.
//
// A page is a struct and a template of the same idea: the handler fills the struct,
// render wraps it in the layout in the reader's language. Templates are parsed once
// for each language when the server starts, so that no request can be answered in
// another reader's language. One line in routes.go names each route, who may ask it
// and what answers it.
package web

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/pass"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/proof/trust"
	"darwaza.dev/internal/proof/verify"
	"darwaza.dev/internal/rules"
	"darwaza.dev/internal/service"
)

// Deps is what the server is made of. Every field but Banner, Record, Proofs, Heard, Neighbour,
// AnswerWithin, Clients and the proxies must be set.
type Deps struct {
	Side agreement.Side
	// Law returns the editions in force; it changes when one is adopted.
	Law    func() *rules.Law
	Reader service.Reader
	Writer service.Writer
	Sealer service.Sealer
	// PassKey signs passes and ReceiptKey receipts; both change as short-lived keys do.
	PassKey    func() *pass.Key
	ReceiptKey func() *pass.Key
	Trust      func() *pass.Trust
	Secrets    pass.Secrets
	Clock      func() time.Time
	Rand       io.Reader
	Log        *slog.Logger
	Texts      *lang.Catalogue
	// SessionKey is 32 secret bytes: sessions, and the short-lived links to a booking,
	// are sealed with keys derived from it.
	SessionKey []byte
	// Secure is true where pages are served over HTTPS: cookies are then marked so.
	Secure bool
	// Banner is the key of a text shown on every page, such as that a demonstration's
	// clock is not the real one. Empty for none.
	Banner string
	// Record gives proofs and tiles of this side's log; nil where there is none.
	Record Record
	// Proofs returns the lists by which health certificates are believed, under limits of their
	// age and ready for a time; nil where there are none.
	Proofs func(trust.Limits, time.Time) *verify.Lists
	// Behind reports whether a time cannot be the present one, since a later one has been;
	// nil where nobody knows.
	Behind func(time.Time) bool
	// Heard says how the line to the other side is; nil where there is none.
	Heard func() Heard
	// Neighbour says how the records of the two sides stand; nil where there is no line.
	Neighbour func(ctx context.Context) (Neighbour, error)
	// AnswerWithin is the number of days within which a contested answer is answered where
	// the agreement does not say; 0 is appeal.DefaultDays.
	AnswerWithin int
	// Clients are the programs that may use the API.
	Clients []Client
	// Proxies are the addresses of proxies in front of the server, and ProxyHeader the header
	// in which they say whom they heard, such as X-Forwarded-For. It is believed from them
	// alone; where there are none, from nobody.
	Proxies     []netip.Prefix
	ProxyHeader string
}

// Record is what the pages and auditors may read of this side's log.
type Record interface {
	// Checkpoint returns the newest signed checkpoint.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns a tile or entry bundle by its path under the log's root, such as
	// "tile/0/000", in the layout of C2SP tlog-tiles.
	Tile(ctx context.Context, path string) ([]byte, error)
	// Proof returns the inclusion proof of an entry, in the form of C2SP tlog-proof.
	Proof(ctx context.Context, index uint64) ([]byte, error)
	// Entry returns an entry's envelope, as it stands in the log, and its disclosure.
	Entry(ctx context.Context, index uint64) (envelope, disclosure []byte, err error)
}

// Heard is how the line to the other side's server is.
type Heard struct {
	// At is when the other side was last heard; zero for never.
	At time.Time
	// Up is true where the last attempt succeeded.
	Up bool
	// Cut is true where the line was cut on purpose, as a demonstration can.
	Cut bool
}

// Client is a program that may use the API. It acts as an officer: what it does is
// recorded under that officer's id.
type Client struct {
	Name string
	// Token is the SHA-256 of the bearer token.
	Token   [32]byte
	Roles   []people.Role
	Officer people.OfficerID
}
