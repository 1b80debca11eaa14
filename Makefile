# `make demo` and `make test` do all their own set-up: a virtual environment in .venv, made from constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(BIN)/headstart
TORCH := $(shell grep "^torch==" constraints.txt)
WORKERS ?= 2

.PHONY: help setup demo test lint bench bench-full results clean

help:
	@echo "make demo   train on the built-in sample, evaluate, ask (some six minutes on two cores)"
	@echo "make test   lint, types and the whole test suite (below 15 minutes on two cores)"
	@echo "make lint   ruff and mypy only"
	@echo "make bench  headstart beside the field's recipe: a table of ratios (make bench-full: whole epochs, hours)"
	@echo "make results  the other tasks on ../shared/data beside transformers.Trainer: scores and seconds, hours"
	@echo "make clean  remove the environment and what the demo made"

# torch first and alone: where a CPU build is offered, pip takes it only when asked for this exact version
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/ready

demo: setup
	$(RUN) train --model all-MiniLM-L6-v2 --train sample --validation sample --output runs/demo --overwrite \
		--num-train-epochs 4 --train-tokens-per-batch 2048
	$(RUN) evaluate runs/demo --data sample
	$(RUN) ask runs/demo --context-file examples/chip.txt -q "At what temperature does the chip run without cooling?"
	$(RUN) ask runs/demo --context-file examples/samarkand.txt -q "Which city did Timur choose as his capital?"
	$(RUN) ask runs/demo --context-file examples/snail.txt -q "Which sea animal has iron sulfide in its shell?"

lint: setup
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

test: lint
	OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/pytest -n $(WORKERS) --dist loadgroup

bench: setup
	$(BIN)/python benchmarks/run.py --short --json build/bench-short.json

bench-full: setup
	$(BIN)/python benchmarks/run.py --full --json build/bench-full.json

results: setup
	$(BIN)/python benchmarks/results.py --json build/results.jsonl

clean:
	rm -rf $(VENV) runs build dist
