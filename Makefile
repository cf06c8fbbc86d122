# make quickstart   train, evaluate, save and reload a model on real digits
# make test         the linter and all tests, with coverage, in two processes
# make bench        our speed beside that of PyTorch and Keras
# make golden       the tests' reference values, made anew with PyTorch and scikit-learn
# make clean        remove .venv and everything that was made

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
    BIN := .venv/Scripts
else
    BIN := .venv/bin
endif
# Each file in .venv/installed/ says that an extra of setup.cfg is installed there.
EXTRA := .venv/installed

.PHONY: quickstart test lint bench golden clean

quickstart: $(EXTRA)/core
	$(BIN)/minigrad quickstart

test: $(EXTRA)/test lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-fail-under=95

lint: $(EXTRA)/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

bench: $(EXTRA)/bench
	$(BIN)/python -m tests.benchmarks

golden: $(EXTRA)/golden
	$(BIN)/python -m tests.golden.make_ops
	$(BIN)/python -m tests.golden.make_layers
	$(BIN)/python -m tests.golden.make_optimizers
	$(BIN)/python -m tests.golden.make_linear_models
	$(BIN)/python -m tests.golden.make_metrics
	$(BIN)/python -m tests.golden.make_preprocessing
	$(BIN)/python -m tests.golden.make_augmentation

$(EXTRA)/core: setup.cfg pyproject.toml
	@echo "installing minigrad and what it needs into .venv, which takes a minute"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	mkdir -p $(EXTRA) && touch $@

$(EXTRA)/%: $(EXTRA)/core
	@echo "installing the extra '$*' into .venv"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage runs
