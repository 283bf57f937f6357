# make demo | test | docs | bench      PYTHON=python3.12 picks the interpreter, VENV=dir the environment

PYTHON ?= python3
VENV ?= .venv
REPORT ?= report
BENCH_FLAGS ?=
PYTEST_FLAGS ?= -n logical --maxprocesses 4
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test docs bench clean

help:
	@echo "make demo    run the lessons under stateful beside PyTorch's recorded numbers"
	@echo "make test    run the tests (installs torch 2.13.0)"
	@echo "make docs    build the documentation into site/"
	@echo "make bench   run the benchmarks"
	@echo "make clean   remove the environment and everything that was built"

demo: $(VENV)/installed-demo
	$(BIN)/stateful compare examples/ --out $(REPORT)
	@echo "Pictures and report.html are in $(abspath $(REPORT))"

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks.run --out $(REPORT) $(BENCH_FLAGS)

clean:
	rm -rf $(VENV) $(REPORT) site build dist

# The package is installed in place, so only new dependencies call for a new install.
$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "No '$(PYTHON)' was found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "funcgrad needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name a newer one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
