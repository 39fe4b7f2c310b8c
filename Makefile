# Every target that needs the virtual environment makes it first; `make setup` does nothing when nothing has changed.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --progress-bar off
PINS := requirements/lock.txt requirements/finn.txt
TEST_PINS := requirements/test.txt requirements/explore.txt requirements/docs.txt
# Written when the pinned packages, and then the project itself, are completely installed.
PACKAGES_STAMP := $(VENV)/.packages-installed
PROJECT_STAMP := $(VENV)/.project-installed
TEST_STAMP := $(VENV)/.test-tools-installed
TEST_WORKERS ?= 2
BROWSER := chromium chromium-driver

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup browser demo test fuzz lint prove soak docs format bench clean distclean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(PROJECT_STAMP) ## make the virtual environment with the pinned packages (1.9 GB)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "setup: $(PYTHON) must be a Python 3.11; install it or say where: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setup: making the virtual environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(PACKAGES_STAMP): $(PINS) | $(BIN)/python
	@echo "setup: installing the pinned packages (requirements/lock.txt, about 1.9 GB, a minute or two)"
	@$(PIP) -r requirements/lock.txt
	@echo "setup: installing FINN (requirements/finn.txt)"
	@$(PIP) --no-deps -r requirements/finn.txt
	@touch $@

$(PROJECT_STAMP): pyproject.toml $(PACKAGES_STAMP)
	@echo "setup: installing this project into $(VENV)"
	@PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "setup: done; the command is $(BIN)/dsode"

$(TEST_STAMP): $(TEST_PINS) $(PROJECT_STAMP)
	@echo "setup: installing what tests and linters need (requirements/test.txt)"
	@$(PIP) -r requirements/test.txt -r requirements/docs.txt
	@touch $@

demo: setup ## fetch data, train, export and build a small network, and say how it went
	@$(BIN)/dsode demo

# Installs nothing where it is there; where it may not install, the page's tests fail and say what is missing.
browser: ## Debian's chromium, in which the report page is tested; installed as root only
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "browser: installing $(BROWSER)"; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends $(BROWSER) >/dev/null; \
	  else \
	    echo "browser: the report page's tests need $(BROWSER); on Debian: sudo apt-get install $(BROWSER)" >&2; \
	  fi

test: $(TEST_STAMP) browser ## run the tests
	@echo "test: pytest with $(TEST_WORKERS) workers"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal --durations=15

FUZZ_FILES ?= 5000
FUZZ_SEED ?= $(shell date +%s)

fuzz: $(TEST_STAMP) ## damage FUZZ_FILES files for every reader, with seed FUZZ_SEED
	@echo "fuzz: seed $(FUZZ_SEED), $(FUZZ_FILES) damaged files for each reader"
	@DSODE_FUZZ_SEED=$(FUZZ_SEED) DSODE_FUZZ_FILES=$(FUZZ_FILES) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) tests/fuzz

lint: $(TEST_STAMP) ## check style, format and types
	@echo "lint: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "lint: badly formatted files above; run make format" >&2; exit 1; }
	@echo "lint: mypy"
	@$(BIN)/mypy
	@echo "lint: RTL"
	@$(BIN)/python -m finn_flow.rtl_lint

prove: $(TEST_STAMP) ## prove the flow control of the cores: nothing lost, nothing stuck
	@$(BIN)/python -m tests.proofs.prove

format: $(TEST_STAMP) ## rewrite the Python files in the project's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

soak: $(TEST_STAMP) ## a million frames of a small accelerator under random pauses and resets (an hour)
	@$(BIN)/python -m tests.soak

docs: $(TEST_STAMP) ## build the documentation into build/site, links checked
	@NO_MKDOCS_2_WARNING=1 PYTHONWARNINGS=ignore $(BIN)/mkdocs build --strict --quiet && echo "docs: build/site/index.html"

bench: setup ## run the benchmarks
	@$(BIN)/python -m benchmarks.run

clean: ## remove what builds and tools left in this folder, but not the virtual environment or trainings
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## remove the virtual environment too
	rm -rf $(VENV)
