# Everything runs in a virtual environment of the project's own, set up by plain venv and pip.
PYTHON ?= python3
VENV := .venv
# cyclonedx-bom checks what it writes against the schema.
AUDIT := pip-audit==2.10.1 "cyclonedx-bom==7.5.0"
BIN := $(VENV)/bin
LOCKED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false
export ORT_DISABLE_TELEMETRY := 1

.PHONY: demo up test test-torch lint format api-spec lock audit clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.local ## set up, then analyse the five sample articles with embedded defaults
	$(BIN)/stancewire analyze --target "the airstrikes" --target "peace talks" seeds

up: $(VENV)/.local ## start the local stack (broker, API, worker) and keep it up
	$(BIN)/stancewire up

test: $(VENV)/.dev ## set up, then run the whole suite (needs no torch)
	$(BIN)/python -m pytest

test-torch: $(VENV)/.torch ## run the tests of training and of the torch backend
	$(VENV)-torch/bin/python -m pytest tests/training tests/torch

lint: $(VENV)/.dev ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## let ruff rewrite the code in our style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

api-spec: $(VENV)/.dev ## write api_spec/openapi.json anew
	$(BIN)/python -m service.openapi

lock: $(VENV)/.dev ## resolve the pins anew (requirements/*.lock)
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh

audit: ## known vulnerabilities of the pinned packages, and their SBOM in build/sbom
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check $(AUDIT)
	mkdir -p build/sbom
	for part in service worker local; do $(VENV)-audit/bin/cyclonedx-py requirements \
		requirements/$$part.lock --sv 1.6 --output-reproducible --validate \
		-o build/sbom/$$part.cdx.json || exit 1; done
	$(VENV)-audit/bin/python requirements/audit.py || { code=$$?; \
		[ $$code = 3 ] && [ -z "$$STANCEWIRE_REQUIRE_AUDIT" ]; }

clean: ## remove what the targets above made
	rm -rf $(VENV) $(VENV)-torch .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Stancewire needs Python 3.11+"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.local: $(BIN)/python requirements/local.lock pyproject.toml
	$(LOCKED) -r requirements/local.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: $(BIN)/python requirements/dev.lock pyproject.toml
	$(LOCKED) -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# Without hashes: a CPU build of torch from a local wheel is as welcome as the registry's.
$(VENV)/.torch: requirements/training.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)-torch
	$(VENV)-torch/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/training.lock
	$(VENV)-torch/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	mkdir -p $(VENV)
	touch $@
