# `make run` and `make test` do all the set-up. `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
# What has been done, so that a second call is quick.
MADE := .make

.DELETE_ON_ERROR:
.PHONY: help run build setup test waiting-tests other-tests check fmt test-python test-pages test-browser rehearsal bench recovery docs screenshots wheel-test sbom lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: build ## set up, build, and open the demo town hall
	@$(BIN)/townhall demo $(ARGS)

setup: $(MADE)/python $(MADE)/node

build: setup $(MADE)/pages ## set up and build the pages

$(MADE)/python: requirements-dev.lock pyproject.toml
	@mkdir -p $(MADE)
	tools/make_venv.sh $(VENV) $(PYTHON)
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(MADE)/node: static/package.json static/package-lock.json static/.npmrc
	@mkdir -p $(MADE)
	tools/check_node.sh
	cd static && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(MADE)/pages: $(MADE)/python $(MADE)/node $(shell find static/src static/build static/public static/*.ts protocol -type f -not -path '*/__pycache__/*' -not -path 'static/src/protocol/*' 2>/dev/null)
	cd static && npm run --silent build
	@touch $@

$(MADE)/nginx:
	@mkdir -p $(MADE)
	tools/install_nginx.sh
	@touch $@

$(MADE)/chromium:
	@mkdir -p $(MADE)
	tools/install_chromium.sh
	@touch $@

# They wait more than they compute: for time-outs, restarts, pages. So two halves of them run side by side.
WAITING := tests/anonymity tests/fanout tests/faults tests/node tests/server

test: build check $(MADE)/nginx $(MADE)/chromium ## everything
	@$(MAKE) --no-print-directory -j2 waiting-tests other-tests
	@$(MAKE) --no-print-directory test-pages wheel-test

waiting-tests:
	@$(BIN)/pytest -q $(WAITING) $(ARGS) 2>&1 | sed -u 's/^/$@: /'

other-tests:
	@$(BIN)/pytest -q tests $(WAITING:%=--ignore=%) $(ARGS) 2>&1 | sed -u 's/^/$@: /'

check: build ## style, types, layers, locks, generated pages of the docs, version
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.check_locks
	$(BIN)/python -m tools.docs --check
	$(BIN)/python -m tools.check_release
	cd static && npx tsc --noEmit && npx eslint --max-warnings 0 .

fmt: setup ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-python: build $(MADE)/nginx ## rules, protocol, store, faults, server
	$(BIN)/pytest -q tests --ignore=tests/browser $(ARGS)

test-pages: build ## the pages' own tests
	cd static && npx vitest run

test-browser: build $(MADE)/chromium ## a town hall in a real browser
	$(BIN)/pytest -q tests/browser $(ARGS)

rehearsal: build ## 200 simulated employees, 3,000 messages, and a table that must add up
	$(BIN)/python -m loadtests.rehearsal $(ARGS)

bench: build ## the product and its peers side by side; writes docs/performance.md (ARGS="--quick": 3 minutes)
	$(BIN)/python -m loadtests.bench $(ARGS)

recovery: build ## kill, stop and cut nodes, store and links, and how soon all is well again (about 5 minutes)
	$(BIN)/python -m loadtests.recovery $(ARGS)

docs: setup ## write the generated reference pages
	$(BIN)/python -m tools.docs

screenshots: build $(MADE)/chromium ## the README's pictures, from the running product
	$(BIN)/python -m tools.screenshots

wheel-test: setup ## build a wheel without Node on the path, install it, run it
	tools/try_wheel.sh

sbom: setup ## the list of parts (CycloneDX) from the lock files
	@$(BIN)/python -m tools.sbom

lock: setup ## pin anew: Python and npm
	$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-annotate --no-header --universal --python-version 3.11 -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-annotate --no-header --universal --python-version 3.11 -q -o requirements-dev.lock
	cd static && npm install --package-lock-only

clean: ## remove what was installed and built; your data stays
	rm -rf $(MADE) $(VENV) dist server/_pages static/node_modules static/src/protocol/types.ts
