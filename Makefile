# Two commands are all that a new machine needs: `make demo` and `make test`. Both make what they need in .venv.

.DEFAULT_GOAL := help
.PHONY: help install demo run test check bench picture dashboards soak month pins

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Where this is set, every command compiles the whole collector again when it starts.
unexport PYTHONDONTWRITEBYTECODE
SECONDS ?= 30
MINUTES ?= 10
SLOTS ?= 720
INTERVAL ?= 3600
# Tests mostly wait, for servers, processes and slots: three at a time, a file's in their order. The files in theirs too:
# by their number of tests the longest, which have the fewest, would come last, and one worker would end alone.
WORKERS ?= 3
# Branch coverage in percent that `check` wants; without the real servers less is reached.
FLOOR ?= 0
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Every package is pinned, so nothing is left to resolve: an extra that one of them names would look for a newer release.
PINNED := $(PIP) --no-deps --require-hashes -r

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

install: .venv/.installed ## the command, as .venv/bin/exposure-collector
	@echo "$(CURDIR)/$(BIN)/exposure-collector"

demo: .venv/.installed ## the whole collector against a simulated tenant, for SECONDS (30)
	@$(BIN)/exposure-collector demo --seconds $(SECONDS)

run: .venv/.installed ## the service; CONFIG=FILE names its settings
	@$(BIN)/exposure-collector run $(if $(CONFIG),--config $(CONFIG))

test: .venv/.testing ## the whole suite, against real servers where they are installed
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=$(FLOOR)

check: .venv/.testing ## the gates, then the whole suite
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test FLOOR=97.5

bench: .venv/.testing ## what it costs, and whom it tells of a rise, measured (PART=round: that alone; GOALS=1: for hours)
	@$(BIN)/python -m tests.benchmarks $(if $(GOALS),--goals) $(addprefix --part ,$(PART))

picture: .venv/.testing ## the README's picture of the score card, docs/card.png (needs chromium)
	@$(BIN)/python -m tests.picture

dashboards: .venv/.installed ## Grafana's dashboards and all alert rules below deploy/, for polls each INTERVAL seconds (3600)
	@$(BIN)/python -m deploy.blueprints --interval-seconds $(INTERVAL)

soak: .venv/.testing ## kills and outages for MINUTES (10), then every point is asked for
	@$(BIN)/python -m tests.oracle --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

month: .venv/.testing ## SLOTS (720) hourly polls in about a minute; what they take of the machine must not grow
	@MALLOC_ARENA_MAX=1 $(BIN)/python -m tests.month --slots $(SLOTS)

pins: ## makes the pinned requirements anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --extra demo --extra build pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header -c requirements.txt tests/requirements.in -o tests/requirements.txt

.venv/.installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed; name it as PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "make: $(PYTHON) can't make a venv; install its venv package" >&2; exit 1; }
	@echo "installing into .venv (once)"
	@$(PINNED) requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.testing: .venv/.installed tests/requirements.txt
	@$(PINNED) tests/requirements.txt
	@touch $@
