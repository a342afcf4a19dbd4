# Two commands do all the set-up: `make demo` and `make test`. `make` alone lists the rest.
#
# Installing uses uv where it is on the path, else venv and pip; `make UV= test` takes pip all the same. What is installed
# is remembered in files under the virtualenv, so a second run installs nothing.

PYTHON ?= python3
VENV   ?= .venv
UV     := $(shell command -v uv 2>/dev/null)
BIN    := $(VENV)/bin

MADE  := $(VENV)/.installed-venv
CORE  := $(VENV)/.installed-core
NODE  := $(VENV)/.installed-node
DEV   := $(VENV)/.installed-dev

ifneq ($(UV),)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
endif

# The larger chain of `make bench`, where its chains are kept, and further options of it: `make bench BENCH=--quick`, `BENCH="--only trace"`.
BENCH_TRANSACTIONS ?= 10000000
BENCH_CACHE        ?= benchmarks/.cache
BENCH              ?=

# Compiled kernels: what tests share, and beside it what a warm-up alone has made, which a test of the warm-up asks for.
KERNELS := $(CURDIR)/.pytest_cache/d/numba
WARMED  := $(CURDIR)/.pytest_cache/d/warmed

# Tests start hundreds of processes, and each would read and compile every module from its text.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve test lint test-full bench readme docs shots words system-deps lock clean faults-long leaks-long fuzz \
	client warm warm-kernels warm-simulator

help: ## this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-12s %s\n' "$$name" "$$text"; \
	done

demo: $(CORE) ## install, and run the demonstration to its end
	$(BIN)/shieldwall demo

serve: $(NODE) ## install, and serve a try-out node with both acts of the demonstration (in shieldwall-try; PORT=8420)
	$(BIN)/shieldwall node try --port $(or $(PORT),8420)

test: $(DEV) ## install, and run the core tests (about three minutes)
	$(BIN)/python -m pytest --numprocesses auto

lint: $(DEV) ## style, types, import contracts, and whether the locks fit pyproject.toml
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_locks.py

warm: warm-kernels warm-simulator ## compile beforehand what tests would wait for, each worker for itself (with --jobs 2: while lint runs)

warm-kernels: $(DEV)
	@rm -rf $(WARMED) && mkdir -p $(WARMED) $(KERNELS)
	NUMBA_CACHE_DIR=$(WARMED)/numba $(BIN)/shieldwall warm-up -o json > $(WARMED)/making.json
	@cp -R $(WARMED)/numba/. $(KERNELS)
	@mv $(WARMED)/making.json $(WARMED)/told.json

warm-simulator: $(DEV)
	@mkdir -p $(KERNELS)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cd benchmarks && NUMBA_CACHE_DIR=$(KERNELS) \
		$(abspath $(BIN))/python -m simulator "$$folder/chain" --transactions 1500 --per-block 60 --form blocks,parquet,rpc,etl

test-full: $(DEV) docs ## everything else: docs, examples in docstrings, slow tests, properties at length, the wheel (under 20 minutes)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m 'full or hypothesis' --hypothesis-profile full --durations 12 --doctest-modules src tests

bench: $(DEV) ## measure at 1 and 10 million transactions, beside other tools; write docs/performance.md, accuracy.md (2 hours, 22 GB)
	$(INSTALL) $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['bench'])")
	cd benchmarks && PYTHONUNBUFFERED=1 $(abspath $(BIN))/python -m bench --cache $(abspath $(BENCH_CACHE)) \
		--transactions 1000000 --transactions $(BENCH_TRANSACTIONS) $(BENCH)

faults-long: $(DEV) ## kill builds, imports and nodes 500 times each at random moments (SHIELDWALL_KILLS for more)
	SHIELDWALL_KILLS=$${SHIELDWALL_KILLS:-500} $(BIN)/python -m pytest -m full -rP tests/faults/test_fault_kill.py \
		tests/faults/test_fault_node_kill.py

leaks-long: $(DEV) ## a million steps of the machine that looks for leaks (SHIELDWALL_LEAK_STEPS for more or fewer)
	SHIELDWALL_LEAK_STEPS=$${SHIELDWALL_LEAK_STEPS:-1000000} $(BIN)/python -m pytest -m full -rP \
		tests/unit/web/test_web_leaks.py::test_nobody_hears_what_they_may_not_at_length

fuzz: $(DEV) ## fuzz every parser by coverage for an hour (FUZZ_SECONDS for longer or shorter)
	$(INSTALL) "atheris>=3"
	$(BIN)/python fuzz/run.py

readme: $(DEV) ## run the examples of README.md, and write what they print below them
	$(BIN)/python tools/fill_readme.py

client: $(DEV) ## write the typed Python client again from the API
	$(BIN)/python tools/make_client.py

docs: $(DEV) ## build the documentation, offline, warnings as errors
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

shots: $(DEV) ## write the pictures of the pages in the docs anew; look at them before you commit them
	SHIELDWALL_SHOTS=1 $(BIN)/python -m pytest -m full tests/e2e/test_pages_browser.py -k look_as_the_docs

words: $(DEV) ## gather the words of the pages into the catalogues, and say what is not translated
	$(BIN)/python tools/make_catalogues.py

system-deps: ## Debian packages that the full tests use (as root)
	@sh tools/system-deps.sh

lock: $(MADE) ## write the locks again from pyproject.toml (UPGRADE=1 takes newer versions)
	$(BIN)/python tools/make_locks.py

clean: ## remove builds and caches; the virtualenv stays (rm -r .venv takes it away)
	rm -rf build dist docs/_build shieldwall-demo shieldwall-try .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests tools docs -name __pycache__ -type d -exec rm -rf {} +

# A virtualenv that is there already is kept.
$(MADE):
	@python=$$(sh tools/find-python.sh "$(PYTHON)") || exit 1; \
	if [ -x "$(BIN)/python" ]; then :; \
	elif [ -n "$(UV)" ]; then "$(UV)" venv --quiet --python "$$python" "$(VENV)"; \
	elif ! "$$python" -m venv "$(VENV)"; then \
		rm -rf "$(VENV)"; \
		echo "$$python cannot make a virtualenv; on Debian: apt-get install python3-venv" >&2; exit 1; \
	fi
	@touch $@

# embit comes as source only: what builds it and the project is pinned like the rest, and goes first.
define install
	@if [ -z "$(UV)" ]; then $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; fi
	$(INSTALL) --require-hashes -r requirements-build.lock
	$(INSTALL) --require-hashes --no-build-isolation -r $(1)
	$(INSTALL) --no-deps --no-build-isolation -e .
endef

$(CORE): $(MADE) requirements-build.lock requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

$(NODE): $(MADE) requirements-build.lock requirements-node.lock pyproject.toml
	$(call install,requirements-node.lock)
	@touch $@

$(DEV): $(MADE) requirements-build.lock requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $@ $(CORE) $(NODE)
