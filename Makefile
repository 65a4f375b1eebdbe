# Everything a person or CI does here. Needs python3 (3.11 or later, with its venv module) and make, nothing else.

PYTHON ?= python3
PORT ?= 8000
SIMULATOR_PORT ?= 2775
JOBS ?= auto
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install

.DEFAULT_GOAL := help
.PHONY: help venv demo up test check check-format check-lint check-imports check-types fix fuzz chaos bench-gateway screenshots messages lock clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z%-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/dev ## make .venv with everything for work and tests

demo: $(VENV)/base ## start all, send the example campaign, show its report; ONCE=1 ends there
	@CARILLON_HOME=$(CURDIR)/var $(BIN)/carillon up --demo --port $(PORT) --simulator-port $(SIMULATOR_PORT) $(if $(ONCE),--once)

up: $(VENV)/base ## start all, with the data in var/
	@CARILLON_HOME=$(CURDIR)/var $(BIN)/carillon up --port $(PORT) --simulator-port $(SIMULATOR_PORT)

test: $(VENV)/dev ## run all tests; ARGS="tests/domain -k hours" for some
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q $(ARGS)

check: ## format, lint, import contracts, types
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-imports check-types

check-format: $(VENV)/dev
	@$(BIN)/ruff format --check --output-format concise src tests bench || { echo "make fix formats these files"; exit 1; }

check-lint: $(VENV)/dev
	@$(BIN)/ruff check --output-format concise src tests bench

check-imports: $(VENV)/dev
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

check-types: $(VENV)/dev
	@CARILLON_HOME=$(CURDIR)/$(VENV)/check-home $(BIN)/mypy

fix: $(VENV)/dev ## format, and repair what the linter can repair
	@$(BIN)/ruff format --quiet src tests bench
	@$(BIN)/ruff check --fix --quiet src tests bench

fuzz: $(VENV)/fuzz ## octets for the SMPP parser, chosen by coverage, then property tests with many new examples; SECONDS=60
	@$(BIN)/python -m bench.fuzz_pdu --seconds $(SECONDS)
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n $(JOBS) -q tests/domain tests/carriers $(ARGS)

chaos: $(VENV)/base ## kill the gateway in the middle of a campaign, again and again, and count
	@$(BIN)/python -m bench.chaos $(ARGS)

bench-gateway: $(VENV)/base ## the send path beside the gateways people use today; SIZE=200000 SMSC=host:port or SMSCSINK=path
	@$(BIN)/python -m bench.peers $(ARGS)

bench-%: $(VENV)/base ## bench-import, bench-prepare, bench-send, bench-lanes, bench-report, bench-links, bench-webhooks, bench-scale, …; SIZE=100000
	@$(BIN)/python -m bench.$* $(ARGS)

screenshots: $(VENV)/dev ## take the pictures of the documentation
	@$(BIN)/python docs/screenshots.py $(ARGS)

lock: $(VENV)/dev ## compile requirements/*.in into pinned files with hashes
	@cd requirements && for name in base dev fuzz; do \
	  ../$(BIN)/pip-compile -q --upgrade --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --strip-extras \
	    --allow-unsafe -o $$name.txt $$name.in && \
	  sed -i "1i # Compiled from $$name.in by \`make lock\`: versions and files are pinned by their hashes." $$name.txt; done

clean: ## remove .venv, var/ and caches; the demo's data with them
	@for link in var/postgres; do if [ -L "$$link" ]; then rm -rf "$$(readlink "$$link")"; fi; done
	@rm -rf $(VENV) var build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Carillon needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V 2>&1). Give another: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) lacks its venv module: on Debian or Ubuntu, apt-get install python3-venv."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/base: requirements/base.txt pyproject.toml | $(VENV)/python
	@echo "Installing what the platform needs into $(VENV) …"
	@$(PIP) -q --require-hashes -r requirements/base.txt
	@$(PIP) -q --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/base
	@echo "Installing what the tests need into $(VENV) …"
	@$(PIP) -q --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/fuzz: requirements/fuzz.txt $(VENV)/dev
	@$(PIP) -q --require-hashes --only-binary :all: -r requirements/fuzz.txt || echo "No coverage-guided fuzzer for this Python: mutations of our own."
	@touch $@
