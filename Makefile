# The whole set-up happens here: `make run` and `make test` work on a fresh machine that has
# Python 3.11 or newer and make. Everything is installed into .venv, once, and again when
# pyproject.toml or constraints.txt change. Kept to what make 3.81 (macOS) understands.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.inkwell-installed
# The first of these that is new enough makes .venv; choose another with `make PYTHON=... comic`.
PYTHON ?= python3 python3.13 python3.12 python3.11
MINUTES ?= 60
# As many tests at a time as there are cores, but no more than four: each worker holds torch.
WORKERS ?= logical --maxprocesses=4
ARGS ?=
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.PHONY: help run comic test lint format bench train clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## start the bot: a chat in your browser, and a comic of your own
	@$(BIN)/inkwell run

comic: $(INSTALLED) ## draw the example story in Chinese and in English into out/, and let it move
	$(BIN)/inkwell draw examples/tab-or-space.zh.story --animate --out out
	$(BIN)/inkwell draw examples/tab-or-space.en.story --animate --out out

test: $(INSTALLED) ## run all tests; ARGS="-k page" runs some, WORKERS=0 in one process
	$(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal $(ARGS)

lint: $(INSTALLED) ## check style, format and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

format: $(INSTALLED) ## put the code into shape
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench: $(INSTALLED) ## measure everything; prints the tables of docs/, and fails at the end if a bar is missed
	@status=0; \
	for bench in judge consistency "consistency --pairs" reference page \
	    "attention --pixels 512 --step-pixels 256 --repeats 1" gpu memory encoding queue load chats kill; do \
	  $(BIN)/python -m bench.$$bench || status=1; \
	done; \
	exit $$status

train: $(INSTALLED) ## train the house artist further; MINUTES=60
	$(BIN)/python -m engine.house.train --minutes $(MINUTES) --resume

clean: ## remove .venv, caches and build leftovers; keeps out/, store/, data/ and checkpoints/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find bot engine adapters bench tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Works in a .venv that somebody made by hand, too: it only has to hold a new enough Python.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@$(BIN)/python -c '$(NEW_ENOUGH)' || { \
	  echo "The Python in $(VENV) is broken or older than 3.11: delete the folder $(VENV) and run make again." >&2; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	@echo "Installing into $(VENV). This happens once and can take some minutes."
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev,video]"
	@touch $@

$(BIN)/python:
	@if [ -L $@ ]; then \
	  echo "The Python that made $(VENV) is gone: delete the folder $(VENV) and run make again." >&2; \
	  exit 1; \
	fi; \
	found=; \
	for python in $(PYTHON); do \
	  if $$python -c '$(NEW_ENOUGH)' 2>/dev/null; then \
	    if $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "Making $(VENV) with $$python."; \
	      exec $$python -m venv $(VENV); \
	    fi; \
	    found=$${found:-$$python}; \
	  fi; \
	done; \
	if [ -n "$$found" ]; then \
	  echo "$$found cannot make virtual environments here. On Debian or Ubuntu: sudo apt install $$found-venv, then run make again." >&2; \
	else \
	  echo "Inkwell needs Python 3.11 or newer, and none was found among: $(PYTHON). Install one (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python) and run make again." >&2; \
	fi; \
	exit 1
