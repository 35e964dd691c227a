# make demo   the screens on simulated venues, no network needed
# make test   lint, types, import contracts, tests
# Both make the environment first: .venv, from the hash-pinned files in requirements/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOURCES := src tests bench
SIDE_BY_SIDE := -n auto --dist loadfile
## These run the same lines millions of times: measuring which costs more than they do.
REPEATED := tests/replay tests/property
SCANNER := $(wildcard src/liquake/venues/_scan*.[ch])

.PHONY: demo test lint types contracts check format bench lock clean help

help:
	@sed -n 's/^# //p' Makefile

demo: $(VENV)/run.stamp
	@$(BIN)/liquake demo $(ARGS)

test: lint types contracts check

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/dev.stamp
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp
	$(BIN)/lint-imports --no-cache

check: $(VENV)/dev.stamp
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(SIDE_BY_SIDE) $(REPEATED:%=--ignore=%) $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report
	$(BIN)/pytest $(SIDE_BY_SIDE) $(REPEATED) $(ARGS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/run.stamp
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python -m bench.$$(basename $$file .py) || exit 1; done

lock: $(VENV)/dev.stamp
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml requirements/build.in -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra redis --extra postgres --extra duckdb pyproject.toml requirements/build.in -o requirements/server.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml requirements/build.in -o requirements/dev.txt

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build src/*.egg-info src/liquake/venues/*.so

$(VENV)/bin/python:
	@echo "Making $(VENV) (once; about half a minute)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml $(SCANNER) | $(VENV)/bin/python
	@echo "Installing liquake and what it needs into $(VENV)"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml $(SCANNER) | $(VENV)/bin/python
	@echo "Installing liquake and its development tools into $(VENV)"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/run.stamp
