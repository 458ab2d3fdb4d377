// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package post

import (
	"context"
	"io"
	"runtime"
	"runtime/debug"
	"time"
)

// Serve runs a post until ctx ends. The log goes to w.
func Serve(ctx context.Context, c *Config, version string, w io.Writer) error {
	log := NewLogger(w, c.LogLevel).With("side", string(c.Side))
	keys, err := OpenKeys(c.Keys, c.Side)
	if err != nil {
		return err
	}
	renewed, err := keys.Renew(time.Now())
	if err != nil {
		return err
	}
	for _, use := range renewed {
		log.Info("a key was past half of its time and has been replaced", "use", use.String())
	}
	editions, err := ReadEditions(c.Agreements, keys)
	if err != nil {
		return err
	}
	p, err := Open(ctx, c, Options{Log: log, Keys: keys, Editions: editions})
	if err != nil {
		return err
	}
	defer p.Close()
	ln, address, err := p.Listen()
	if err != nil {
		return err
	}
	for _, e := range editions {
		log.Info("edition", "agreement", e.ID, "number", e.Number, "from", e.Edition.From, "until", e.Until)
	}
	inForce := 0
	for _, e := range p.Law().Newest() {
		if _, ok := p.Law().EditionOf(e.ID, time.Now()); ok {
			inForce++
		} else {
			log.Warn("no edition of the agreement is in force today: it answers nothing", "agreement", e.ID)
		}
	}
	if inForce == 0 {
		log.Warn("no agreement is in force today: every question ends with a person's decision (REFER)")
	}
	if c.HTTP && c.Proxy.Header == "" {
		log.Warn("the server is behind a proxy that the configuration does not name (proxy): everybody's wrong tries count as one address's")
	}
	// Loading takes several times the memory that serving does, and catching up with what
	// was missed takes some too: give it back.
	giveBack()
	p.atRest = giveBack
	log.Info("serving", "version", version, "address", address)
	if err := p.Serve(ctx, ln); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// giveBack returns to the machine the memory that is not in use. What a sync.Pool keeps
// outlives one collection: hence two.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

// OpenForPeople opens a post whose server may be running, to see and change its people:
// what is to be written goes to the server where there is one.
func OpenForPeople(ctx context.Context, c *Config) (*Post, error) {
	return Open(ctx, c, Options{Unadopted: true, Beside: true})
}
