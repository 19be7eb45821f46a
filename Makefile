# Everything sets itself up: a virtual environment .venv, the packages, this course.
PYTHON ?= python3
# uv, here or fetched by pip, installs in a third of the time. Pip alone: make setup UV=
UV ?= uv
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input
NOTEBOOKS := $(sort $(wildcard solutions/*/*.ipynb))
# Two tests at a time, each on one thread, those of one file in one process: a file shares its slow
# preparations. -rs lists what was skipped, and why.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -rs
NBVAL := $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300

# Waiting threads sleep: on few cores they would otherwise burn the time of those that work.
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all goldens figures lab build wheel clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) \
	  | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: .venv/.ready  ## the environment alone, in .venv (once, some minutes)

# uv reads no settings of pip: those that say where packages come from become uv's, as lines of
# shell. Sorted so, what the environment says comes last, and wins, as it does with pip.
PIP_TO_UV = $(BIN)/python -m pip config list | sort -r | sed -nE \
  -e '/^(:env:|global|install)\./!d; s/^[^.]*\.//; s/\\n/ /g' -e "s/=' +/='/" \
  -e 's/^index-url=/UV_DEFAULT_INDEX=/p' \
  -e 's/^extra-index-url=/UV_INDEX=/p' \
  -e '/^find-links=/s/ +/,/g' -e 's/^find-links=/UV_FIND_LINKS=/p' \
  -e 's/^no-index=/UV_OFFLINE=/p' \
  -e 's/^trusted-host=/UV_INSECURE_HOST=/p' \
  -e 's/^cert=/SSL_CERT_FILE=/p'
# uv is to take the newest package of all places, as pip does, and to bear a slow connection.
UV_INSTALL := pip install --python $(BIN)/python --index-strategy unsafe-best-match
export UV_HTTP_TIMEOUT ?= 180

.venv/.ready: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here: install Python 3.11 or newer (apt install python3)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11. Try: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv: install it (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Setting up .venv. The first time this downloads up to 3.3 GB and takes 6.5 GB of disk."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@trap 'exit 130' INT; uv="$(UV)"; \
	if [ "$$uv" ] && ! $$uv --version >/dev/null 2>&1; then \
	  uv=$(BIN)/uv; $(PIP) --quiet --only-binary uv uv 2>/dev/null || uv=; \
	fi; \
	all() { "$$@" -r requirements.txt && "$$@" -e . --no-deps; }; \
	if [ "$$uv" ]; then \
	  (set -a; eval "$$($(PIP_TO_UV))"; all $$uv $(UV_INSTALL)) && exit; \
	  echo "uv could not do it: see above."; \
	fi; \
	echo "Installing with pip, which takes some minutes ..."; all $(PIP)
	@touch $@

demo: .venv/.ready  ## the gallery page, and a sample class graded (3 minutes)
	@$(BIN)/python -m cs_vis demo

test: export CS_VIS_PROFILE := test
test: .venv/.ready  ## all tests but the slow ones, and the solution notebooks
	$(PYTEST) tests
	$(NBVAL) $(NOTEBOOKS)

test-all: export CS_VIS_PROFILE := test
test-all: .venv/.ready  ## the slow tests too
	$(PYTEST) --run-slow tests
	$(NBVAL) $(NOTEBOOKS)

goldens: .venv/.ready  ## compute again what the checks compare with
	$(BIN)/python -m cs_vis goldens

figures: .venv/.ready  ## what README and notebooks show as stored (docs/figures.py; 15 minutes)
	$(BIN)/python docs/figures.py

build: .venv/.ready  ## the notebooks, from solutions/*.py
	$(BIN)/python -m cs_vis build

wheel: .venv/.ready  ## the students' package, in dist
	@$(BIN)/python -m hatchling build -t wheel -d dist

lab: .venv/.ready  ## JupyterLab on the notebooks as a student has them, in .workspace
	@$(BIN)/python -m cs_vis new-workspace .workspace
	$(BIN)/jupyter lab .workspace

clean:  ## remove what the other targets left, but not .venv
	rm -rf demo build dist .pytest_cache submitted autograded feedback gradebook.db grades.csv
	find cs_vis tests -name __pycache__ -prune -exec rm -rf {} +
