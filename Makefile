# Everything sets itself up: a virtual environment .venv, the packages, this course.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
NOTEBOOK := solutions/03_saliency/03_saliency.ipynb
# Two tests at a time, those of one file in one process: a file shares its slow preparations.
# -rs lists what was skipped, and why.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile -rs
NBVAL := $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300

# Waiting threads sleep: on few cores they would otherwise burn the time of those that work.
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all goldens lab build wheel clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) \
	  | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: .venv/.ready  ## the environment alone, in .venv (once, some minutes)

.venv/.ready: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here: install Python 3.11 or newer (apt install python3)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11. Try: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv: install it (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Setting up .venv: a few minutes, once."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "Downloading PyTorch, Jupyter and the rest of requirements.txt: pip is quiet meanwhile ..."
	@$(PIP) -r requirements.txt
	@echo "Installing the course itself ..."
	@$(PIP) -e . --no-deps
	@touch $@

demo: .venv/.ready  ## the gallery page, and a sample class graded (3 minutes)
	@$(BIN)/python -m cs_vis demo

test: export CS_VIS_PROFILE := test
test: .venv/.ready  ## all tests but the slow ones, and the solution notebook
	$(PYTEST) tests
	$(NBVAL) $(NOTEBOOK)

test-all: export CS_VIS_PROFILE := test
test-all: .venv/.ready  ## the slow tests too
	$(PYTEST) --run-slow tests
	$(NBVAL) $(NOTEBOOK)

goldens: .venv/.ready  ## compute again what the checks compare with
	$(BIN)/python -m cs_vis goldens

build: .venv/.ready  ## the notebooks, from solutions/*.py
	$(BIN)/python -m cs_vis build

wheel: .venv/.ready  ## the students' package, in dist
	@$(BIN)/python -m hatchling build -t wheel -d dist

lab: .venv/.ready  ## JupyterLab on the students' notebooks
	$(BIN)/jupyter lab notebooks

clean:  ## remove what the other targets left, but not .venv
	rm -rf demo build dist .pytest_cache submitted autograded feedback gradebook.db grades.csv
	find cs_vis tests -name __pycache__ -prune -exec rm -rf {} +
