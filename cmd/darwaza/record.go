// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"darwaza.dev/internal/agreement"
	"darwaza.dev/internal/exchange"
	"darwaza.dev/internal/post"
	"darwaza.dev/internal/problem"
	"darwaza.dev/internal/record"
)

const recordAbout = `
record check    checks the whole record: each entry against its digest, the tiles and the
                signed head against the entries, and the state of every desk against the one
                that the facts make. It works while the server runs.
record show     shows the fact at a position of the post's own record.
record prove    writes the proof of one fact into a file: the entry, what --for may read of
                it, its path to the head that this side has signed and, where it has, the
                other side cosigned.
record verify   checks such a file with the keys of a signed agreement and no network.
record export   writes the whole record for auditors into a file: the post's own, or with
                --mirror the other side's as it is mirrored here.
record compare  tells an auditor with the files of both sides, each of the same record,
                whether they agree and, if not, exactly where.`

func runRecord(ctx context.Context, c console, args []string) error {
	verbs := map[string]func(context.Context, console, flagSet, []string) error{
		"check": recordCheck, "show": recordShow, "prove": recordProve, "verify": recordVerify, "export": recordExport, "compare": recordCompare,
	}
	usages := map[string]string{
		"check": "check --config FILE", "show": "show --config FILE POSITION", "prove": "prove --config FILE [--for READER] POSITION FILE",
		"verify": "verify --agreement PACKAGE FILE", "export": "export --config FILE [--mirror] FILE", "compare": "compare --agreement PACKAGE FILE FILE",
	}
	if len(args) > 0 {
		if f := verbs[args[0]]; f != nil {
			return f(ctx, c, flags(c, "record", usages[args[0]], recordAbout), args[1:])
		}
		if args[0] == "--help" || args[0] == "-h" {
			return parse(flags(c, "record", "check|show|prove|verify|export|compare", recordAbout), args[:1], 0)
		}
	}
	return wrong("want record check, show, prove, verify, export or compare; darwaza help record says what they do")
}

func recordCheck(ctx context.Context, c console, fs flagSet, args []string) error {
	file := config(fs)
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	r, err := post.CheckRecord(ctx, conf)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "the record is consistent: %d entries, head %x\nthe state is what the facts make of it: %d rows\n", r.Entries, r.Root[:], r.Rows)
	return nil
}

// position reads the first argument as a position in a record.
func position(fs flagSet) (uint64, error) {
	n, err := strconv.ParseUint(fs.Arg(0), 10, 56)
	if err != nil {
		return 0, wrong("%q is no position: it is a number from 0", fs.Arg(0))
	}
	return n, nil
}

func recordShow(ctx context.Context, c console, fs flagSet, args []string) error {
	file := config(fs)
	if err := parse(fs, args, 1); err != nil {
		return err
	}
	n, err := position(fs)
	if err != nil {
		return err
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	_, st, err := post.OpenRecord(ctx, conf)
	if err != nil {
		return err
	}
	defer st.Close()
	p, err := post.ShowFact(ctx, st, conf.Side, n)
	if err != nil {
		return err
	}
	tellFact(c.out, p)
	return nil
}

func tellFact(w io.Writer, p post.Proved) {
	fmt.Fprintf(w, "entry %d of the record of side %s: %s, %s\nreaders: %v\n", p.Index, p.Side, p.Kind, p.At.UTC().Format(time.RFC3339Nano), p.Groups)
	switch {
	case len(p.Fact) == 0:
		fmt.Fprintln(w, "nothing of what it says is disclosed here")
	case p.Whole:
		fmt.Fprintf(w, "%s\n", p.Fact)
	default:
		fmt.Fprintf(w, "%s\nwhat is withheld shows as empty\n", p.Fact)
	}
}

func recordProve(ctx context.Context, c console, fs flagSet, args []string) error {
	file := config(fs)
	reader := fs.String("for", "auditor", "who is to read what the fact says: `other`, auditor, all for the whole fact, or none")
	if err := parse(fs, args, 2); err != nil {
		return err
	}
	n, err := position(fs)
	if err != nil {
		return err
	}
	if fs.NArg() != 2 {
		return wrong("record prove takes a position and the file to write, such as fact.tlog-proof")
	}
	to, ok := map[string]record.Reader{"other": record.OtherSide, "auditor": record.Auditors, "all": 0, "none": 0}[*reader]
	if !ok {
		return wrong("--for is other, auditor, all or none, not %q", *reader)
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	r, st, err := post.OpenRecord(ctx, conf)
	if err != nil {
		return err
	}
	defer st.Close()
	text, err := post.ProveFact(ctx, r, n, to, *reader == "all")
	if err != nil {
		return err
	}
	if err := newFile(fs.Arg(1), func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s proves entry %d; check it with darwaza record verify\n", fs.Arg(1), n)
	return nil
}

// newFile writes a file that was not there, whole or not at all.
func newFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return problem.Newf(problem.Conflict, "file.exists", "%s exists already; nothing is written over", name)
	}
	if err != nil {
		return problem.Wrap(problem.Internal, "file.write", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err == nil {
		err = problem.Wrap(problem.Internal, "file.write", errors.Join(w.Flush(), f.Sync()))
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		os.Remove(name)
	}
	return err
}

// openEdition reads the package whose keys a proof is checked with.
func openEdition(path string) (*agreement.Edition, error) {
	if path == "" {
		return nil, wrong("--agreement names the signed agreement whose keys count")
	}
	fsys, err := post.OpenPackage(path)
	if err != nil {
		return nil, err
	}
	e, err := agreement.Load(fsys)
	return e, problem.Wrap(problem.Invalid, "agreement.package", err)
}

func recordVerify(_ context.Context, c console, fs flagSet, args []string) error {
	from := fs.String("agreement", "", "`folder` or bundle of the signed agreement")
	if err := parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return wrong("record verify takes the file of one proof")
	}
	e, err := openEdition(*from)
	if err != nil {
		return err
	}
	f, err := os.Open(fs.Arg(0))
	if err != nil {
		return problem.Wrap(problem.NotFound, "file.read", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, record.MaxProof+1))
	if err != nil {
		return problem.Wrap(problem.Internal, "file.read", err)
	}
	p, err := post.CheckProof(text, e)
	if err != nil {
		return err
	}
	tellFact(c.out, p)
	fmt.Fprintf(c.out, "side %s has signed it, in its record of %d entries\n", p.Side, p.Size)
	for _, s := range p.Cosigned {
		fmt.Fprintf(c.out, "side %s holds that record and has cosigned it, %s\n", p.Side.Other(), s.At.Format(time.RFC3339))
	}
	if len(p.Cosigned) == 0 {
		fmt.Fprintf(c.out, "side %s has not cosigned it: side %[2]s alone vouches for it\n", p.Side.Other(), p.Side)
	}
	return nil
}

func recordExport(ctx context.Context, c console, fs flagSet, args []string) error {
	file := config(fs)
	mirror := fs.Bool("mirror", false, "the other side's record as it is mirrored here")
	if err := parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return wrong("record export takes the file to write")
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	r, st, err := post.OpenRecord(ctx, conf)
	if err != nil {
		return err
	}
	defer st.Close()
	var size uint64
	err = newFile(fs.Arg(0), func(w io.Writer) error {
		size, err = r.ExportWhole(ctx, *mirror, w)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s holds %d entries\n", fs.Arg(0), size)
	return nil
}

// openArchive opens a file of a log.
func openArchive(name string) (*exchange.Archive, func() error, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, nil, problem.Wrap(problem.NotFound, "file.read", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, problem.Wrap(problem.Internal, "file.read", err)
	}
	a, err := exchange.OpenArchive(f, info.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return a, f.Close, nil
}

func recordCompare(ctx context.Context, c console, fs flagSet, args []string) error {
	from := fs.String("agreement", "", "`folder` or bundle of the signed agreement")
	if err := parse(fs, args, 2); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		return wrong("record compare takes two files of one side's record, such as its own and the other side's mirror")
	}
	e, err := openEdition(*from)
	if err != nil {
		return err
	}
	var files [2]*exchange.Archive
	for i := range files {
		a, done, err := openArchive(fs.Arg(i))
		if err != nil {
			return err
		}
		defer done()
		files[i] = a
	}
	side, r, err := post.CompareFiles(ctx, files[0], files[1], e)
	if err != nil {
		return err
	}
	for i, h := range []record.Head{r.A, r.B} {
		fmt.Fprintf(c.out, "%s: %d entries of side %s, signed, root %x", fs.Arg(i), h.Size, side, h.Root[:])
		if []bool{r.CosignedA, r.CosignedB}[i] {
			fmt.Fprintf(c.out, ", cosigned by side %s", side.Other())
		}
		fmt.Fprintln(c.out)
	}
	if !r.Agree {
		for i, x := range []record.Entry{r.EntryA, r.EntryB} {
			fmt.Fprintf(c.out, "%s has at %d: %s, %s\n", fs.Arg(i), r.First, x.Kind, x.At.UTC().Format(time.RFC3339Nano))
		}
		return problem.Newf(problem.Conflict, "record.differs", "the files differ from entry %d on: side %s has signed both, and so has told two stories", r.First, side)
	}
	if r.A.Size != r.B.Size {
		sizes := []uint64{r.A.Size, r.B.Size}
		fmt.Fprintf(c.out, "they agree in the %d entries that both have; one has %d more\n", r.Common, slices.Max(sizes)-r.Common)
		return nil
	}
	fmt.Fprintf(c.out, "they agree in all %d entries\n", r.Common)
	return nil
}

const exchangeAbout = `
exchange export  writes what the other side lacks of this post's record into a file, with
                 this side's cosignature of theirs: what the line would carry, for a stick.
exchange import  takes such a file of the other side. A file may be read twice or late; one
                 before which another is missing changes nothing and says so.
exchange resume  lets the mirror of the other side's record go on after it was halted because
                 that record contradicted itself. It is the act of the supervisor whom --by
                 names, whose sign-in word is read from standard input, and it is written
                 down beside the evidence.
All work while the server runs.`

func runExchange(ctx context.Context, c console, args []string) error {
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		return parse(flags(c, "exchange", "export|import|resume", exchangeAbout), args[:1], 0)
	}
	if len(args) == 0 || !slices.Contains([]string{"export", "import", "resume"}, args[0]) {
		return wrong("want exchange export, import or resume; darwaza help exchange says what they do")
	}
	verb := args[0]
	fs := flags(c, "exchange", verb+" --config FILE", exchangeAbout)
	file := config(fs)
	by := fs.String("by", "", "`login` of the supervisor who resumes")
	if err := parse(fs, args[1:], 1); err != nil {
		return err
	}
	if want := map[string]int{"export": 1, "import": 1, "resume": 0}[verb]; fs.NArg() != want {
		return wrong("exchange %s takes %d files", verb, want)
	}
	conf, err := post.ReadConfig(*file)
	if err != nil {
		return err
	}
	if verb == "resume" {
		return exchangeResume(ctx, c, conf, *by)
	}
	r, st, err := post.OpenRecord(ctx, conf)
	if err != nil {
		return err
	}
	defer st.Close()
	if verb == "export" {
		var from, to uint64
		err := newFile(fs.Arg(0), func(w io.Writer) error {
			from, to, err = r.Export(ctx, w)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s holds this side's record from entry %d to %d\n", fs.Arg(0), from, to)
		return nil
	}
	a, done, err := openArchive(fs.Arg(0))
	if err != nil {
		return err
	}
	defer done()
	got, err := r.Import(ctx, a)
	if err != nil {
		if problem.CodeOf(err) == "exchange.missing" {
			return problem.Newf(problem.NotFound, "exchange.missing", "the file begins after entry %d, where this side's mirror ends: read the file before it first", got.Size)
		}
		return err
	}
	fmt.Fprintf(c.out, "%d entries were new; this side holds %d of the other's record\n", got.Stored, got.Size)
	if got.Cosigned {
		fmt.Fprintln(c.out, "the other side's cosignature of this side's record is kept")
	}
	return nil
}

func exchangeResume(ctx context.Context, c console, conf *post.Config, by string) error {
	if by == "" {
		return wrong("--by names the supervisor whose act it is")
	}
	p, err := post.Open(ctx, conf, post.Options{Beside: true})
	if err != nil {
		return err
	}
	defer p.Close()
	word, err := ask(c, bufio.NewReader(io.LimitReader(c.in, 2048)), "sign-in word of "+by)
	if err != nil {
		return err
	}
	resumed, err := p.ResumeMirror(ctx, by, word)
	if err != nil {
		return err
	}
	if resumed {
		fmt.Fprintln(c.out, "the mirror of the other side's record goes on")
	} else {
		fmt.Fprintln(c.out, "nothing was halted")
	}
	return nil
}
