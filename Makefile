# Everything happens in .venv, from the lock files, with hashes. Needs git, make and Python 3.11 or newer.

# The first interpreter that is new enough. `make PYTHON=/path/to/python3.12 demo` chooses another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test cover lint format lock schemas clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## Play the tour on an embedded AWS (ARGS=--exit leaves after it)
	$(BIN)/reconciler demo $(ARGS)

test: $(VENV)/.dev ## Run every test (ARGS="-k name" chooses)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

cover: $(VENV)/.dev ## Check that tests/core reach every branch of core/
	$(BIN)/python -m pytest tests/core -n 2 --cov=reconciler.core --cov-branch --cov-report=term:skip-covered --cov-fail-under=100

lint: $(VENV)/.dev ## Check style, types, layers, schemas and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate_schemas --check
	$(BIN)/hadolint --no-color Dockerfile

format: $(VENV)/.dev ## Put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## Renew the locks (ARGS=--upgrade-package=NAME: only that one)
	$(BIN)/python -m tools.lock $(or $(ARGS),--upgrade)

schemas: $(VENV)/.dev ## Write schemas/ anew from the AWS model and the kinds
	$(BIN)/python -m tools.generate_schemas

clean: ## Remove what was built, installed and cached
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Reconciler needs Python 3.11 or newer, and found none on the PATH." \
		"Install one, or say where it is: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Reconciler needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
		"Say where a newer one is: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments." \
		"On Debian and Ubuntu install the package python3-venv." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The project itself goes in without its dependencies (they come from the lock) and without build isolation (its build
# backend comes from a lock too): nothing is ever fetched that no hash stands for.
$(VENV)/.demo: requirements-demo.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --require-hashes -r requirements-build.lock
	$(PIP_INSTALL) --require-hashes -r requirements-demo.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) --require-hashes -r requirements-build.lock
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo # the development lock contains the demo's
