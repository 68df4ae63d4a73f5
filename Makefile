# What there is to do in this checkout. `make` alone tells.

# The first Python of at least 3.11; choose another with `make PYTHON=python3.13 …`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# One process for each core; a file's tests stay together, since they share what they built.
PYTEST_WORKERS ?= auto
BENCH_ARGS ?=
MUTANTS_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-all torture fuzz mutants pythons docs deploy-tools bench clean

help:
	@echo "make demo    build, verify and report fixtures/demo with real dependencies; see fixtures/demo/dist"
	@echo "make test    lint, types and all tests, in the virtual environment $(VENV)"
	@echo "make test-all  the slow tests too: exercises of real libraries, about ten minutes more"
	@echo "make docs    the pages of docs/ as a site in .cache/site, without a network"
	@echo "make deploy-tools  SAM, CDK, Serverless and Pulumi for their tests, 1.5 GB in .cache"
	@echo "make torture  the fault programmes with their large numbers: hours"
	@echo "make pythons  lpack under each Python of this machine, for the tests of reproducibility"
	@echo "make fuzz    atheris on every reader of foreign files, LPACK_FUZZ_SECONDS (600) each"
	@echo "make mutants  how many changes of the zip core and the subtraction the tests notice"
	@echo "make bench   the benchmarks, results in benchmarks/results.md"
	@echo "make clean   remove $(VENV), caches and what was built"
	@echo
	@echo "PYTHON=python3.13 chooses the interpreter; PYTEST_ARGS='-k zip' narrows the tests, PYTEST_WORKERS=0 runs them in one process"

demo: $(VENV)/.installed
	cd fixtures/demo && ../../$(BIN)/lpack build
	cd fixtures/demo && ../../$(BIN)/lpack verify
	cd fixtures/demo && ../../$(BIN)/lpack report --report html=dist/report.html

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	-@$(BIN)/python tests/support/fixture_wheels.py fetch
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile $(PYTEST_ARGS)

test-all: $(VENV)/.installed-test
	$(MAKE) test PYTEST_ARGS="-m 'slow or not slow' $(PYTEST_ARGS)"

docs: $(VENV)/.installed-test
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict --quiet

deploy-tools: $(VENV)/.installed-test
	$(BIN)/python tests/support/deploy_tools.py install

torture: $(VENV)/.installed-test
	LPACK_TORTURE=1 nice -n 19 $(BIN)/python -m pytest -s -m 'slow or not slow' tests/faults tests/property \
		tests/e2e/test_reproducible_places.py tests/unit/bootstrap/test_lpack_offload.py $(PYTEST_ARGS)
	$(MAKE) fuzz

fuzz: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	$(BIN)/python tests/support/fuzz_run.py

mutants: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group mutants
	$(BIN)/python tests/support/mutants.py $(MUTANTS_ARGS)

# lpack under every Python it runs on, for the tests of reproducibility.
pythons: $(VENV)/.installed-test
	@for v in 3.11 3.12 3.13 3.14; do \
		found=$$(PYTHONPATH=tests $(BIN)/python -m support.interpreters $$v) && \
		$(BIN)/uv venv --quiet --clear --python "$$found" .cache/pythons/$$v && \
		$(BIN)/uv pip install --quiet --python .cache/pythons/$$v/bin/python --editable '.[uv]' && \
		echo "Python $$v: .cache/pythons/$$v" || echo "Python $$v is not on this machine"; \
	done

bench: $(VENV)/.installed-test
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

clean:
	rm -rf $(VENV) .cache mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	rm -rf fixtures/demo/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "lpack needs Python 3.11 or newer; try: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=26.2'
	@touch $@

# An editable installation needs renewing only when the dependencies may have changed.
$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[uv]'
	@touch $@

# uv is there by now and takes 3 s where pip takes 45; pip follows where only its configuration
# names an index.
$(VENV)/.installed-test: $(VENV)/.installed pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[uv]' --group test || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[uv]' --group test
	@touch $@
