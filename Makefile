# Everything runs in .venv, made on first use. Needs Python 3.11+, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test lint format ollama docs clean

help:  ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 18

$(VENV)/created:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, not %d.%d" % sys.version_info[:2]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	touch $@

# The marker of an installation names what was installed; a changed pyproject.toml installs anew.
$(VENV)/installed-demo: $(VENV)/created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]'
	touch $@

$(VENV)/installed-dev: $(VENV)/created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/installed-demo

$(VENV)/installed-ollama: $(VENV)/created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[ollama-tests]'
	touch $@

demo: $(VENV)/installed-demo  ## Train, evaluate, cluster and map the SDG passages; results in demo/
	$(BIN)/toolkit demo --out demo

test: $(VENV)/installed-dev  ## Run the whole test suite
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

lint: $(VENV)/installed-dev  ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev  ## Put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ollama: $(VENV)/installed-ollama  ## Install a real Ollama with a small test model into .ollama/ (needs Go)
	$(BIN)/python tests/real_ollama/install.py .ollama

docs: $(VENV)/installed-dev  ## Build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:  ## Remove what was made, but not .venv and .ollama
	rm -rf demo dist build docs/_build docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
