// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io/fs"

	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/sequencer"
	"darwaza.dev/internal/service"
)

// forgotten reports whether the post has a record and does not remember what it last
// signed of it: a restore that gave entries up has put the head file aside, or a disk was
// lost with it. Serials that the other side has heard
// may then be missing from the record, and would be given again.
func (p *Post) forgotten(ctx context.Context) (bool, error) {
	size, err := p.store.Size(ctx)
	if err != nil || size == 0 {
		return false, err
	}
	_, ok, err := sequencer.ReadHead(p.Config.Head)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return !ok, err
}

// OpenSales lets a site sell places again that were held because the record had lost its
// end. by is the login of the supervisor whose act it is, and word their sign-in word. It
// reports whether anything was held.
func (p *Post) OpenSales(ctx context.Context, site, by, word string) (bool, error) {
	number, err := p.siteNumber(site)
	if err != nil {
		return false, err
	}
	o, err := p.Signed(ctx, by, word)
	if err != nil {
		return false, err
	}
	var a service.OpenSalesAnswer
	if err := p.do(ctx, service.OpenSales{Site: number, Officer: o.ID}, &a); err != nil {
		switch problem.CodeOf(err) {
		case "officer.role":
			err = problem.Newf(problem.Forbidden, "officer.role", "%s may not open sales: it takes a supervisor", by)
		case "officer.site":
			err = problem.Newf(problem.Forbidden, "officer.site", "%s works at another site", by)
		}
		return false, err
	}
	return a.Opened, nil
}

// beginLists begins what this side numbers for the other side anew, and holds sales: places
// that were sold may be missing from the record like those serials. Where nothing was missing
// it costs that the other side reads once again and that a supervisor opens the sales.
func (p *Post) beginLists(ctx context.Context) error {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return problem.Wrap(problem.Internal, "post.lists", err)
	}
	list := max(binary.BigEndian.Uint64(id[:]), 1)
	if _, err := p.seq.Do(ctx, service.Idem{}, service.BeginList{List: list, Hold: true}); err != nil {
		return err
	}
	p.log.Warn("the last signed head is not there, as after a restore: the lists for the other side begin anew, and no place is sold until a supervisor opens each site's slots again on its day's page")
	return nil
}
