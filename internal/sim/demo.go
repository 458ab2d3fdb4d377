// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"darwaza.dev/agreements"
	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/calendar"
	"darwaza.dev/internal/lang"
	"darwaza.dev/internal/people"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
)

// Package is the folder of the embedded agreement that the demonstration runs on.
const Package = "pk-ir-border-markets"

// Banner is the key of the text that every page of a demonstration bears.
const Banner = "demo.banner"

// Market day: the text known to us ends on 30 June 2026, so the demonstration's clock
// starts on a market day before.
const (
	DemoDay  = "2025-09-02"
	DemoZone = "Asia/Karachi"
)

// Config is what a demonstration can be told.
type Config struct {
	// Dir is the folder of both posts; a new one that is removed at the end where it is empty.
	Dir string
	// Port is side A's port on the loopback address and Port+1 side B's; any where it is 0.
	Port int
	// Seed makes the people and what they do.
	Seed uint64
	// Log is the log of both posts; nothing is logged where it is nil.
	Log *slog.Logger
}

// Sides lists both sides in order.
var sides = [...]agreement.Side{agreement.A, agreement.B}

// Side is one side of a running demonstration.
type Side struct {
	Side    agreement.Side
	Address string // such as http://127.0.0.1:8440
	People  []Login
	Post    *post.Post

	peer     string            // the address that the other side's server asks
	tokens   map[string]string // by login, of the programs that act for the simulated people
	listener net.Listener
}

// Login is a made-up sign-in.
type Login struct {
	Login, Word string
	Roles       []people.Role
}

// Demo is a running demonstration.
type Demo struct {
	Dir   string
	Clock *Clock
	A, B  *Side

	health *authority
	seed   uint64
	remove bool
	log    *slog.Logger
	stop   context.CancelFunc
	done   sync.WaitGroup
	guests guests
	failed chan error
}

// Of returns one side.
func (d *Demo) Of(s agreement.Side) *Side {
	if s == agreement.B {
		return d.B
	}
	return d.A
}

// staff are the made-up people of each side. The words are no secrets.
func staff(side agreement.Side) []post.NewOfficer {
	word := func(login string) string { return login + "-of-side-" + strings.ToLower(string(side)) }
	var all []post.NewOfficer
	for _, o := range []struct {
		login, name string
		roles       []people.Role
	}{
		{"clerk", "Clerk (invented)", []people.Role{people.Clerk}},
		{"gate", "Gate officer (invented)", []people.Role{people.GateOfficer, people.Health}},
		{"customs", "Customs officer (invented)", []people.Role{people.Customs}},
		{"supervisor", "Supervisor (invented)", []people.Role{people.Supervisor, people.GateOfficer}},
		{"manager", "Market manager (invented)", []people.Role{people.Manager}},
		{"admin", "Administrator (invented)", []people.Role{people.Admin, people.Auditor}},
	} {
		all = append(all, post.NewOfficer{Login: o.login, Name: o.name, Roles: o.roles, Language: lang.EN, Word: word(o.login)})
	}
	return all
}

// Start makes both posts and serves them. The clock stands still until it is told to run.
func Start(ctx context.Context, c Config) (_ *Demo, err error) {
	day, err := demoDay()
	if err != nil {
		return nil, err
	}
	d := &Demo{Dir: c.Dir, Clock: NewClock(day.Add(dayBegins * time.Minute)), seed: c.Seed, log: c.Log, failed: make(chan error, 2)}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.Dir == "" {
		if d.Dir, err = os.MkdirTemp("", "darwaza-demo-"); err != nil {
			return nil, problem.Wrap(problem.Internal, "demo.dir", err)
		}
		d.remove = true
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if err := d.make(ctx, c.Port); err != nil {
		return nil, err
	}
	return d, d.serve(ctx)
}

// demoDay returns midnight of the market day, by the clock of the market.
func demoDay() (time.Time, error) {
	zone, err := calendar.Zone(DemoZone)
	if err != nil {
		return time.Time{}, problem.Wrap(problem.Internal, "demo.zone", err)
	}
	day, err := time.ParseInLocation(time.DateOnly, DemoDay, zone)
	return day, problem.Wrap(problem.Internal, "demo.day", err)
}

// make does for both sides what their people would do: make a post each, exchange the
// public keys, put them into the agreement, and sign it, each with its own root.
func (d *Demo) make(ctx context.Context, port int) error {
	unsigned := filepath.Join(d.Dir, "unsigned")
	pkg, err := fs.Sub(agreements.FS, Package)
	if err != nil {
		return problem.Wrap(problem.Internal, "demo.agreement", err)
	}
	if err := os.CopyFS(unsigned, pkg); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return problem.Newf(problem.Conflict, "demo.dir", "%s holds a demonstration already; name a new folder", d.Dir)
		}
		return problem.Wrap(problem.Internal, "demo.agreement", err)
	}
	made := map[agreement.Side]*post.Made{}
	joint := map[string][]byte{}
	signs := map[agreement.Side]func(*agreement.Edition) (map[string][]byte, error){}
	for i, side := range sides {
		s := &Side{Side: side}
		at := "127.0.0.1:0"
		if port != 0 {
			at = fmt.Sprintf("127.0.0.1:%d", port+i)
		}
		if s.listener, err = net.Listen("tcp", at); err != nil {
			return problem.Newf(problem.Conflict, "demo.port", "cannot listen on %s (%w): name another with --port", at, err)
		}
		s.peer = "http://" + s.listener.Addr().String()
		s.Address = s.peer
		if side == agreement.B {
			// Browsers keep cookies by host and not by port: under another name a reader can be
			// signed in at both sides.
			s.Address = strings.Replace(s.peer, "127.0.0.1", "localhost", 1)
		}
		officers := staff(side)
		made[side], err = post.Init(ctx, post.New{
			Dir: filepath.Join(d.Dir, string(side)), Side: side, Agreement: unsigned,
			Listen: s.listener.Addr().String(), HTTP: true, Officers: officers, Now: d.Clock.Now(),
		})
		if err != nil {
			return err
		}
		for j, o := range officers {
			s.People = append(s.People, Login{o.Login, made[side].Words[j], o.Roles})
		}
		files, err := made[side].Keys.Handover()
		if err != nil {
			return err
		}
		maps.Copy(joint, files)
		certs, sign, err := post.TwoPeople(made[side].Keys.Root, side, d.Clock.Now())
		if err != nil {
			return err
		}
		maps.Copy(joint, certs)
		signs[side] = sign
		if side == agreement.A {
			d.A = s
		} else {
			d.B = s
		}
	}
	keyed, err := agreement.Overlay(pkg, joint)
	if err != nil {
		return problem.Wrap(problem.Internal, "demo.agreement", err)
	}
	withKeys, err := agreement.Load(keyed)
	if err != nil {
		return problem.Wrap(problem.Internal, "demo.agreement", err)
	}
	for _, side := range sides {
		signatures, err := signs[side](withKeys)
		if err != nil {
			return err
		}
		maps.Copy(joint, signatures)
	}
	signed, err := agreement.Overlay(pkg, joint)
	if err != nil {
		return problem.Wrap(problem.Internal, "demo.agreement", err)
	}
	if d.health, err = newAuthority(withKeys.Parties[agreement.A].Country, d.Clock.Now()); err != nil {
		return err
	}
	for _, side := range sides {
		if err := d.health.lay(made[side].Config.ProofTrust, d.Clock.Now()); err != nil {
			return err
		}
		s := d.Of(side)
		folder := filepath.Join(d.Dir, string(side), "agreement")
		if err := os.CopyFS(folder, signed); err != nil {
			return problem.Wrap(problem.Internal, "demo.agreement", err)
		}
		conf := made[side].Config
		conf.Agreements = []string{folder}
		conf.Exchange.Peer = d.Of(side.Other()).peer
		conf.Owner.Listen = ""
		s.tokens = map[string]string{}
		for _, o := range made[side].Officers {
			token := rand.Text()
			s.tokens[o.Login] = token
			sum := sha256.Sum256([]byte(token))
			conf.Clients = append(conf.Clients, post.ClientConfig{Name: "demo-" + o.Login, Token: hex.EncodeToString(sum[:]), Officer: o.ID, Roles: o.Roles})
		}
		wrap, err := d.wrap(side)
		if err != nil {
			return err
		}
		if s.Post, err = post.Open(ctx, conf, post.Options{Clock: d.Clock.Now, Log: d.log.With("side", string(side)), Banner: Banner, Keys: made[side].Keys, Manual: true, Wrap: wrap}); err != nil {
			return err
		}
	}
	return os.RemoveAll(unsigned)
}

// serve answers at both sides until Close.
func (d *Demo) serve(ctx context.Context) error {
	ctx, d.stop = context.WithCancel(ctx)
	for _, side := range sides {
		s := d.Of(side)
		d.done.Go(func() {
			if err := s.Post.Serve(ctx, s.listener); err != nil {
				select {
				case d.failed <- err:
				default:
				}
			}
		})
	}
	return nil
}

// Failed gives the problem of a side that stopped serving by itself.
func (d *Demo) Failed() <-chan error { return d.failed }

// Close stops both sides and removes their folder, unless the caller named one.
func (d *Demo) Close() error {
	if d.stop != nil {
		d.stop()
	}
	d.done.Wait()
	var errs []error
	for _, side := range sides {
		if s := d.Of(side); s != nil {
			if s.listener != nil {
				s.listener.Close()
			}
			if s.Post != nil {
				errs = append(errs, s.Post.Close())
			}
		}
	}
	if d.remove {
		errs = append(errs, os.RemoveAll(d.Dir))
	}
	return errors.Join(errs...)
}
