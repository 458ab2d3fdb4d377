// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"darwaza.dev/internal/post"
)

func runBackup(ctx context.Context, c console, args []string) error {
	fs := flags(c, "backup", "--config FILE --to DIR", `
Copies a post's database as it stands at one moment, with the configuration, the
agreements and the certificates, into a new folder. It works while the server runs.

It never copies the vault: people's sealed data in the copy stay shut without it, so that
deleting somebody's key deletes their data in every backup as well. It copies private
keys only where it is told to; whoever holds them can sign for this side.

With PostgreSQL the database is copied by PostgreSQL's own tools, such as pg_dump.`)
	file := config(fs)
	to := fs.String("to", "", "new `folder` of the backup")
	keys := fs.Bool("with-keys", false, "copy the private keys as well")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	if *to == "" {
		return wrong("--to names the new folder of the backup")
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	b, err := post.MakeBackup(ctx, conf, *file, *to, *keys, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s holds the record up to entry %d, made %s\n", *to, b.Size, b.At.UTC().Format(time.RFC3339))
	if *keys {
		fmt.Fprintln(c.out, "It holds this side's private keys: keep it as you keep those.")
	}
	return nil
}

func runRestore(ctx context.Context, c console, args []string) error {
	fs := flags(c, "restore", "--config FILE --from DIR [--accept]", `
Puts the database of a backup in the place of one that was lost. It writes over nothing:
move the damaged database aside first.

What was decided after the backup is not in it. If the head file shows that the post had
signed more than the backup holds, restore says how much is lost and refuses. Ask the
other side for what it has heard, write down what it knows, and restore again with
--accept: from then on the post's record differs from what it had signed, and auditors
will see that. Places that were sold meanwhile are unknown to it, so none is sold until a
supervisor opens each site's sales again, on the page of its day.`)
	file := config(fs)
	from := fs.String("from", "", "`folder` of the backup")
	accept := fs.Bool("accept", false, "accept that what the backup does not hold is lost")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	if *from == "" {
		return wrong("--from names the folder of the backup")
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	r, err := post.Restore(ctx, conf, *from, *accept, time.Now())
	if err != nil {
		return err
	}
	r.Tell(c.out)
	return nil
}
