// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// A row is what the table of layers says of one package.
type row struct {
	name     string
	layer    int
	pure     bool
	siblings []string
}

const (
	tableBegin = "<!-- layers:begin -->"
	tableEnd   = "<!-- layers:end -->"
)

// parseTable reads the table between the markers in ARCHITECTURE.md.
func parseTable(text string) (map[string]*row, error) {
	_, rest, ok := strings.Cut(text, tableBegin)
	table, _, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return nil, fmt.Errorf("no table between %q and %q", tableBegin, tableEnd)
	}
	rows := map[string]*row{}
	for _, line := range strings.Split(table, "\n") {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) == 0 || cells[0] == "layer" || strings.HasPrefix(cells[0], "-") {
			continue
		}
		if len(cells) != 5 {
			return nil, fmt.Errorf("want 5 cells: %s", line)
		}
		layer, err := strconv.Atoi(cells[0])
		if err != nil {
			return nil, fmt.Errorf("layer %q: %s", cells[0], line)
		}
		if cells[2] != "yes" && cells[2] != "no" {
			return nil, fmt.Errorf("pure is %q, want yes or no: %s", cells[2], line)
		}
		var here []string
		for _, name := range splitTrim(cells[3], ",") {
			if rows[name] != nil {
				return nil, fmt.Errorf("%s stands in the table twice", name)
			}
			rows[name] = &row{name: name, layer: layer, pure: cells[2] == "yes"}
			here = append(here, name)
		}
		for _, entry := range splitTrim(cells[4], ";") {
			name, list, ok := strings.Cut(entry, ":")
			if !ok || !slices.Contains(here, strings.TrimSpace(name)) {
				return nil, fmt.Errorf("siblings %q do not name a package of the row: %s", entry, line)
			}
			rows[strings.TrimSpace(name)].siblings = splitTrim(list, ",")
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the table names no package")
	}
	return rows, nil
}

func splitTrim(s, sep string) []string {
	var out []string
	for _, p := range strings.Split(s, sep) {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// What a package that decides may not import itself: each brings a clock, a
// network, a disk, a host setting or chance into a decision. A path stands for
// everything below it as well.
var impure = []string{
	"C", "context", "crypto/rand", "database/sql", "html/template", "io/ioutil", "log", "net", "os", "path/filepath",
	"plugin", "runtime", "syscall", "testing", "unsafe",
	"github.com/chromedp", "github.com/jackc", "github.com/pressly", "golang.org/x/net", "golang.org/x/sys",
	"golang.org/x/time", "modernc.org",
}

// What it may not name in packages that are otherwise useful to it.
var bannedNames = map[string][]string{
	"time": {"After", "AfterFunc", "LoadLocation", "Local", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
}

// What it may name of the packages that also have a hidden seed.
var seeded = []string{"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewSource", "NewZipf", "PCG", "Rand", "Source", "Source64", "Zipf"}

// The layers whose evaluation must give the same bytes everywhere, so that no
// floating point may stand in them.
const exactFrom, exactTo = 2, 4

// checkLayers holds a tree against the table of layers and returns what breaks
// it, each as "where: rule: what". absentOK passes over packages that the table
// names and the tree does not have.
func checkLayers(t *tree, table string, absentOK bool) ([]string, error) {
	rows, err := parseTable(table)
	if err != nil {
		return nil, err
	}
	var found []string
	report := func(where, rule, format string, args ...any) {
		found = append(found, where+": "+rule+": "+fmt.Sprintf(format, args...))
	}

	for name, r := range rows {
		dir := "internal/" + name
		if strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "agreements") {
			dir = name
		}
		if len(t.pkgs[dir]) == 0 && !absentOK {
			report("table", "missing package", "%s", name)
		}
		for _, s := range r.siblings {
			if rows[s] == nil || rows[s].layer != r.layer {
				report("table", "not a sibling", "%s lists %s", name, s)
			}
		}
		if reaches(rows, r.siblings, name, map[string]bool{}) {
			report("table", "sibling cycle", "%s reaches itself", name)
		}
	}

	for _, dir := range t.dirs() {
		name := strings.TrimPrefix(dir, "internal/")
		r := rows[name]
		if r == nil {
			report(dir, "package not in table", "%s", name)
			r = &row{name: name, layer: 1 << 30}
		}
		var product []source
		for _, s := range t.pkgs[dir] {
			t.checkImports(s, r, rows, report)
			if !s.isTest() {
				product = append(product, s)
			}
		}
		t.checkCode(product, r, report)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// reaches reports whether name can be reached from the siblings listed.
func reaches(rows map[string]*row, from []string, name string, seen map[string]bool) bool {
	for _, s := range from {
		if s == name {
			return true
		}
		if r := rows[s]; r != nil && !seen[s] {
			seen[s] = true
			if reaches(rows, r.siblings, name, seen) {
				return true
			}
		}
	}
	return false
}

type reporter func(where, rule, format string, args ...any)

// checkImports holds one file's imports against the table. A test may import
// any sibling; the external test of a package that is not pure may also look
// upward, as it is built after everything that it imports.
func (t *tree) checkImports(s source, r *row, rows map[string]*row, report reporter) {
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		where := t.line(s, spec)
		if r.pure && !s.isTest() {
			for _, bad := range impure {
				if p == bad || strings.HasPrefix(p, bad+"/") {
					report(where, "impure import", "%s imports %s", r.name, p)
				}
			}
			if spec.Name != nil && spec.Name.Name == "." {
				report(where, "dot import", "%s imports %s", r.name, p)
			}
		}
		rel, ok := strings.CutPrefix(p, t.module+"/")
		if !ok {
			continue
		}
		name := strings.TrimPrefix(rel, "internal/")
		other := rows[name]
		switch {
		case other == nil || name == r.name:
			// The first is reported at the package itself, the second is an external test.
		case other.layer > r.layer:
			if !s.isExternalTest() || r.pure {
				report(where, "upward import", "%s (%d) imports %s (%d)", r.name, r.layer, name, other.layer)
			}
		case other.layer == r.layer:
			if !s.isTest() && !slices.Contains(r.siblings, name) {
				report(where, "unlisted sibling", "%s imports %s", r.name, name)
			}
		}
	}
}

// placeholders stand for imported packages: enough for the type checker to tell
// a package name from a variable that shadows it.
type placeholders struct{}

var versionSuffix = regexp.MustCompile(`^v[0-9]+$`)

// Import returns an empty package named after the last part of the path.
func (placeholders) Import(p string) (*types.Package, error) {
	base := path.Base(p)
	if versionSuffix.MatchString(base) {
		base = path.Base(path.Dir(p))
	}
	pkg := types.NewPackage(p, base)
	pkg.MarkComplete()
	return pkg, nil
}

// checkCode holds the product's files of one package against the rules on
// initialisation, package state and, in a pure layer, banned identifiers.
func (t *tree) checkCode(ss []source, r *row, report reporter) {
	if len(ss) == 0 {
		return
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: placeholders{}, Error: func(error) {}, FakeImportC: true}
	var asts []*ast.File
	for _, s := range ss {
		asts = append(asts, s.file)
	}
	// The placeholders leave most types unknown; who means what is known all the same.
	pkg, _ := conf.Check(t.module+"/"+r.name, t.fset, asts, info)

	// imported returns the path of the package that a selector selects from.
	imported := func(sel *ast.SelectorExpr) string {
		if id, ok := sel.X.(*ast.Ident); ok {
			if pn, ok := info.Uses[id].(*types.PkgName); ok {
				return pn.Imported().Path()
			}
		}
		return ""
	}
	// state returns the package-level variable that an expression reaches into.
	state := func(e ast.Expr) *types.Var {
		for {
			switch x := e.(type) {
			case *ast.Ident:
				if v, ok := info.Uses[x].(*types.Var); ok && v.Parent() == pkg.Scope() {
					return v
				}
				return nil
			case *ast.SelectorExpr:
				e = x.X
			case *ast.IndexExpr:
				e = x.X
			case *ast.StarExpr:
				e = x.X
			case *ast.ParenExpr:
				e = x.X
			case *ast.SliceExpr:
				e = x.X
			default:
				return nil
			}
		}
	}

	for _, s := range ss {
		if ast.IsGenerated(s.file) {
			continue
		}
		written := func(e ast.Expr) {
			if v := state(e); v != nil {
				report(t.line(s, e), "package state", "%s is written", v.Name())
			}
		}
		inUTC := map[ast.Expr]bool{}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					report(t.line(s, n), "init function", "%s", r.name)
				}
			case *ast.GenDecl:
				t.checkHolders(s, n, info, r, report)
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						written(e)
					}
				}
			case *ast.IncDecStmt:
				written(n.X)
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					written(n.Key)
					written(n.Value)
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 {
					if b, ok := info.Uses[id].(*types.Builtin); ok && slices.Contains([]string{"delete", "clear", "copy"}, b.Name()) {
						written(n.Args[0])
					}
				}
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && r.pure {
					if sel.Sel.Name == "UTC" || sel.Sel.Name == "In" {
						inUTC[sel.X] = true
					}
					if sel.Sel.Name == "Local" && len(n.Args) == 0 && imported(sel) == "" {
						report(t.line(s, n), "banned identifier", "the host's zone by Local()")
					}
					if imported(sel) == "time" && strings.HasPrefix(sel.Sel.Name, "Unix") && !inUTC[n] {
						report(t.line(s, n), "banned identifier", "the host's zone by time.%s without UTC()", sel.Sel.Name)
					}
				}
			case *ast.SelectorExpr:
				if !r.pure {
					break
				}
				from, name := imported(n), n.Sel.Name
				if slices.Contains(bannedNames[from], name) {
					report(t.line(s, n), "banned identifier", "%s.%s", from, name)
				}
				if (from == "math/rand" || from == "math/rand/v2") && !slices.Contains(seeded, name) {
					report(t.line(s, n), "banned identifier", "%s.%s", from, name)
				}
				if exact(r) && floatName(from, name) {
					report(t.line(s, n), "floating point", "%s.%s", from, name)
				}
			case *ast.Ident:
				if exact(r) && isFloatType(info.Uses[n]) {
					report(t.line(s, n), "floating point", "%s", n.Name)
				}
			case *ast.BasicLit:
				if exact(r) && (n.Kind == token.FLOAT || n.Kind == token.IMAG) {
					report(t.line(s, n), "floating point", "%s", n.Value)
				}
			}
			return true
		})
	}
}

func exact(r *row) bool { return r.pure && exactFrom <= r.layer && r.layer <= exactTo }

func isFloatType(o types.Object) bool {
	if o == nil || o.Parent() != types.Universe {
		return false
	}
	b, ok := o.Type().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

// floatName reports whether a name of another package brings floating point.
func floatName(from, name string) bool {
	switch from {
	case "strconv":
		return strings.Contains(name, "Float") || strings.Contains(name, "Complex")
	case "math/big":
		return strings.Contains(name, "Float")
	case "math":
		return !strings.HasPrefix(name, "MaxInt") && !strings.HasPrefix(name, "MinInt") && !strings.HasPrefix(name, "MaxUint")
	}
	return false
}

// checkHolders reports package variables whose type exists to be changed. A
// pool, and a value that is worked out once, hold nothing that a caller can tell.
func (t *tree) checkHolders(s source, d *ast.GenDecl, info *types.Info, r *row, report reporter) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		sel, ok := v.Type.(*ast.SelectorExpr)
		if !ok || !r.pure {
			continue
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			continue
		}
		pn, ok := info.Uses[x].(*types.PkgName)
		if !ok {
			continue
		}
		from := pn.Imported().Path()
		if obj := info.Defs[v.Names[0]]; obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
			continue
		}
		if from == "sync/atomic" || (from == "sync" && sel.Sel.Name != "Pool") {
			report(t.line(s, v), "package state", "%s is a %s.%s", v.Names[0].Name, from, sel.Sel.Name)
		}
	}
}

// packagesStillToCome lets the table run ahead of the tree.
const packagesStillToCome = false

func TestLayers(t *testing.T) {
	found, err := checkLayers(ours(t), read(t, "ARCHITECTURE.md"), packagesStillToCome)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// TestLayersBroken feeds the check small trees that are each wrong in one way:
// a check that finds nothing in ours must be seen to find something.
func TestLayersBroken(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join("testdata", "layers", "*.txtar"))
	if err != nil || len(archives) < 6 {
		t.Fatalf("%d archives, %v; want six or more", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			fsys := fstest.MapFS{"go.mod": {Data: []byte("module example.test\n")}}
			var names []string
			var table, want string
			for _, f := range a.Files {
				switch f.Name {
				case "table":
					table = tableBegin + "\n" + string(f.Data) + tableEnd
				case "want":
					want = strings.TrimSpace(string(f.Data))
				default:
					fsys[f.Name] = &fstest.MapFile{Data: f.Data}
					names = append(names, f.Name)
				}
			}
			tr, err := readTree(fsys, names)
			if err != nil {
				t.Fatal(err)
			}
			found, err := checkLayers(tr, table, false)
			if err != nil {
				found = []string{err.Error()}
			}
			if got := strings.Join(found, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
