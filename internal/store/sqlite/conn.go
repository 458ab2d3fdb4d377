// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
)

// A conn is one connection with its prepared statements, used by one goroutine at a
// time. It speaks to the driver beneath database/sql: a batch of 512 bookings binds some
// twenty thousand values, and the pool's bookkeeping would be a third of the cost.
type conn struct {
	dc    driver.Conn
	stmts map[string]driver.Stmt
}

// dsn returns the driver's name for a database file with these pragmas.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func open(dsn string) (*conn, error) {
	dc, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{dc: dc, stmts: map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	return c.dc.Close()
}

func (c *conn) prepare(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.dc.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w: %s", err, query)
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(query string, args ...driver.Value) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	//lint:ignore SA1019 the form without a context spares a copy of the arguments and cannot be cut off midway
	res, err := s.Exec(args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query calls f with each row, whose values are f's to keep.
func (c *conn) query(query string, args []driver.Value, columns int, f func(row []driver.Value) error) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	//lint:ignore SA1019 see exec
	rows, err := s.Query(args)
	if err != nil {
		return err
	}
	defer rows.Close()
	dest := make([]driver.Value, columns)
	for {
		if err := rows.Next(dest); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(dest); err != nil {
			return err
		}
	}
}

// bytesOf returns a column of bytes: SQLite gives an empty value as nil.
func bytesOf(v driver.Value) []byte {
	switch x := v.(type) {
	case []byte:
		if x != nil {
			return x
		}
	case string:
		return []byte(x)
	}
	return []byte{}
}

func intOf(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func textOf(v driver.Value) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	}
	return ""
}
