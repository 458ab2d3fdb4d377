// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package house

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// parseDependencies reads the tables of docs/dependencies.md: the version by
// the name that stands in backquotes in the first cell. Every cell is filled in.
func parseDependencies(text string) (versions map[string]string, faults []string) {
	versions = map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		if len(cells) != 5 || slices.Contains(cells, "") {
			faults = append(faults, name+": want name, version, what for, licence and who keeps it")
			continue
		}
		if versions[name] != "" {
			faults = append(faults, name+": stands there twice")
		}
		versions[name] = cells[1]
	}
	return versions, faults
}

// direct lists the direct requirements and tools of a go.mod, and the packages
// of a package.json, with their versions.
func direct(gomod, npm []byte) (map[string]string, error) {
	f, err := modfile.Parse("go.mod", gomod, nil)
	if err != nil {
		return nil, err
	}
	out, all := map[string]string{}, map[string]string{}
	for _, r := range f.Require {
		all[r.Mod.Path] = r.Mod.Version
		if !r.Indirect {
			out[r.Mod.Path] = r.Mod.Version
		}
	}
	for _, tool := range f.Tool {
		for module, version := range all {
			if tool.Path == module || strings.HasPrefix(tool.Path, module+"/") {
				delete(out, module)
				out[tool.Path] = version
			}
		}
	}
	var p struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(npm, &p); err != nil {
		return nil, err
	}
	for _, list := range []map[string]string{p.Dependencies, p.DevDependencies} {
		for name, version := range list {
			out[name] = version
		}
	}
	return out, nil
}

// checkDependencies holds docs/dependencies.md against what the build takes. A
// version in the document may leave out its last parts.
func checkDependencies(gomod, npm []byte, doc string) ([]string, error) {
	taken, err := direct(gomod, npm)
	if err != nil {
		return nil, err
	}
	told, found := parseDependencies(doc)
	for name, version := range taken {
		switch said, ok := told[name]; {
		case !ok:
			found = append(found, name+": taken, and not in docs/dependencies.md")
		case version != said && !strings.HasPrefix(version, said+"."):
			found = append(found, name+": "+version+" is taken, docs/dependencies.md says "+said)
		}
	}
	for name := range told {
		if _, ok := taken[name]; !ok {
			found = append(found, name+": in docs/dependencies.md, and not taken")
		}
	}
	slices.Sort(found)
	return found, nil
}

func TestDependencies(t *testing.T) {
	found, err := checkDependencies([]byte(read(t, "go.mod")), []byte(read(t, "package.json")), read(t, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// TestDependenciesBroken sees each rule on the list fail.
func TestDependenciesBroken(t *testing.T) {
	gomod := []byte(`module example.test

go 1.26

require (
	example.test/told v1.2.3
	example.test/untold v1.0.0
	example.test/moved v1.1.0
	example.test/deep v1.0.0 // indirect
	example.test/tools v0.8.0 // indirect
)

tool example.test/tools/cmd/check
`)
	npm := []byte(`{"dependencies": {"reader": "3.1.4"}, "devDependencies": {"axe": "4.0.0"}}`)
	doc := `
| name | version | what for | licence | who keeps it |
| --- | --- | --- | --- | --- |
| ` + "`example.test/told`" + ` | v1.2 | telling | MIT | us |
| ` + "`example.test/moved`" + ` | v1.10 | moving | MIT | us |
| ` + "`example.test/gone`" + ` | v1 | going | MIT | us |
| ` + "`example.test/tools/cmd/check`" + ` | v0.8 | checking | MIT | us |
| ` + "`reader`" + ` | 3 | reading | | us |
`
	found, err := checkDependencies(gomod, npm, doc)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(found, "\n")
	want := strings.Join([]string{
		"axe: taken, and not in docs/dependencies.md",
		"example.test/gone: in docs/dependencies.md, and not taken",
		"example.test/moved: v1.1.0 is taken, docs/dependencies.md says v1.10",
		"example.test/untold: taken, and not in docs/dependencies.md",
		"reader: taken, and not in docs/dependencies.md",
		"reader: want name, version, what for, licence and who keeps it",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestLockFile wants the lock file to pin each package by its digest and to
// leave the choice of registry to whoever builds.
func TestLockFile(t *testing.T) {
	var lock struct {
		Packages map[string]struct{ Resolved, Integrity string }
	}
	if err := json.Unmarshal([]byte(read(t, "package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) < 2 {
		t.Fatalf("%d packages", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" {
			t.Errorf("%s: names a registry", name)
		}
		if name != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s: no digest", name)
		}
	}
}

// TestCommands wants the scripts that make and CI start to be startable.
func TestCommands(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(root, "scripts", "*"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, name := range append(scripts, filepath.Join(root, ".ci", "run")) {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s: may not be executed", name)
		}
	}
}
