# Copyright The Darwaza Authors.
# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export CGO_ENABLED := 0
# Flags of the caller's shell would change the bytes of the build.
export GOFLAGS :=
export GOAMD64 :=
export GOARM64 :=

GO ?= go
# A fixed length of the hash: the default length grows with the clone's history.
VERSION ?= $(shell git describe --tags --always --abbrev=12 --dirty 2>/dev/null || echo unversioned)
FUZZTIME ?= 1m
TESTTIME ?= 20m

GEN := internal/web/asset/gen
ZXING := node_modules/zxing-wasm
BROWSER := $(GEN)/zxing/reader.js $(GEN)/zxing/reader.wasm $(GEN)/zxing/LICENSE

.PHONY: help
help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: $(BROWSER) ## build build/darwaza (fetches the browser libraries by lock file)
	@mkdir -p build
	$(GO) build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)" -o build/darwaza ./cmd/darwaza

# Without inlining the file is a sixth smaller, and still fast enough for one answer at a time.
.PHONY: verdict
verdict: ## build build/verdict.wasm, the law for a browser
	@mkdir -p build
	GOOS=js GOARCH=wasm GOWASM=satconv,signext $(GO) build -trimpath -buildvcs=false -gcflags=all=-l -ldflags "-s -w -buildid=" -o build/verdict.wasm ./cmd/verdictwasm

.PHONY: demo
demo: build ## run a market day on both sides, on this machine
	build/darwaza demo $(ARGS)

.PHONY: test
test: ## install what the tests need, then run every check
	GO="$(GO)" TESTTIME="$(TESTTIME)" scripts/test

.PHONY: bench
bench: build ## measure, ending with FIGURE lines; ONLY=id measures one figure
	@$(GO) build -trimpath -buildvcs=false -o build/bench ./internal/bench
	@build/bench $(if $(ONLY),-only '$(ONLY)')

.PHONY: fuzz
fuzz: $(BROWSER) ## fuzz each decoder for FUZZTIME (1m); ONLY=regexp picks targets
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" ONLY="$(ONLY)" scripts/fuzz

.PHONY: lint
lint: fmt vet staticcheck ## gofmt, go vet and staticcheck

.PHONY: fmt
fmt: ## list files that gofmt would change; fails where there is one
	@files="$$(gofmt -l .)"; if [ -n "$$files" ]; then printf 'not in gofmt form:\n%s\n' "$$files" >&2; exit 1; fi

.PHONY: vet
vet: $(BROWSER) ## go vet
	$(GO) vet ./...

.PHONY: staticcheck
staticcheck: $(BROWSER) ## staticcheck, at the version in go.mod
	$(GO) tool staticcheck ./...

.PHONY: reproducible
reproducible: build ## build again elsewhere from nothing and compare the bytes
	GO="$(GO)" VERSION="$(VERSION)" scripts/reproducible

.PHONY: prerequisites
prerequisites: ## install what the tests need (Debian): PostgreSQL, Chromium, fonts
	scripts/prerequisites

.PHONY: clean
clean: ## remove what was built or fetched
	rm -rf build node_modules $(GEN)/zxing

node_modules/.package-lock.json: package.json package-lock.json .npmrc
	npm ci
	@touch $@

$(GEN)/zxing/reader.js: node_modules/.package-lock.json
	@install -D -m 0644 $(ZXING)/dist/iife/reader/index.js $@

$(GEN)/zxing/reader.wasm: node_modules/.package-lock.json
	@install -D -m 0644 $(ZXING)/dist/reader/zxing_reader.wasm $@

$(GEN)/zxing/LICENSE: node_modules/.package-lock.json
	@install -D -m 0644 $(ZXING)/LICENSE $@
