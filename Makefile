# `make report` and `make test` set everything up first; `make setup` does nothing when nothing changed.
# Paths are relative, so that the folder may have any name, spaces included.

PYTHON := .venv/bin/python
UV := .tools/bin/uv
# Every Python that pyenv has, whichever of them .python-version asks for: without this its shims fail
# inside this folder where that version is missing.
WITH_EVERY_PYENV := PYENV_VERSION="$$(pyenv versions --bare 2>/dev/null \
	| grep -E '^3\.[0-9]{2}[.0-9]*$$' | sort -r | tr '\n' ':' | sed 's/:$$//')" \
	&& if [ -n "$$PYENV_VERSION" ]; then export PYENV_VERSION; else unset PYENV_VERSION; fi
CODE := __init__.py data models analysis figures

# An environment does not survive a move of the folder: the stamp holds the place that it was made for.
ifneq ($(shell cat .venv/.ready 2>/dev/null),$(CURDIR))
.PHONY: .venv/pyvenv.cfg
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: docs explore help setup test types suite test-browser report figures gallery calibrate certificate bench lock format clean clean-cache

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: .venv/.ready  ## Python and the pinned libraries in .venv (every other target runs it first)

report: setup  ## fit, check and report the shipped evidence: results/report.html
	@touch .venv/.reporting
	@.venv/bin/mscpool report $(ARGS) || { status=$$?; \
		[ $$status -eq 1 ] && [ results/report.html -nt .venv/.reporting ] || exit $$status; }

figures: setup  ## the figure set of the shipped evidence: results/figures
	@.venv/bin/mscpool fit || [ $$? -eq 1 ]
	@.venv/bin/mscpool figures

explore: setup  ## open the local page on the shipped evidence (ARGS="--no-browser --port 9000")
	@.venv/bin/mscpool explore $(ARGS)

gallery: setup  ## render the gallery of the figures' README anew (after a change to data, model or drawing)
	@$(PYTHON) -c "from mscpool.analysis.paper.publish.publish import gallery; gallery()"

test: setup  ## linters, types, fast and small-sampling tests
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m ruff format --check --quiet .
	@$(MAKE) --no-print-directory --jobs 2 types suite

# The checker of types keeps one core busy, and not for long: the suite begins beside it.
types:
	@found=$$($(PYTHON) -m basedpyright $(CODE)) || { echo "$$found"; exit 1; }

# Sources are compiled once for all of the many processes that tests start.
suite:
	@PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(PYTHON) -m pytest --quiet --numprocesses 2 --dist loadfile $(ARGS)

# Playwright is large and drives the machine's own Chromium: it stands outside the lock.
test-browser: setup  ## the local page in a real browser (MSCPOOL_SCREENSHOTS=DIR keeps the pictures)
	@$(PYTHON) -c 'import playwright' 2>/dev/null || $(UV) pip install --quiet --python $(PYTHON) 'playwright>=1.50'
	@OPENBLAS_NUM_THREADS=1 $(PYTHON) -m pytest --quiet -m browser tests/analysis/explore $(ARGS)

calibrate: setup  ## false alarms and power of the guard, resumable (SETS=20 for fewer data sets)
	@.venv/bin/mscpool calibrate $(if $(SETS),--sets $(SETS))

certificate: setup  ## the certificate of this version, and what the report quotes of it (two hours; resumable)
	@.venv/bin/mscpool calibrate --certificate --sets 1000 --sims 1000 --out results/certificate $(ARGS)
	@cp results/certificate/certificate.md results/certificate/sbc.png docs
	@cp results/certificate/calibration.csv analysis/guard/calibration.csv

bench: setup  ## how long things take
	@$(PYTHON) -m pytest --quiet tests/benchmarks -o python_files='bench_*.py' --benchmark-only $(ARGS)

docs: setup  ## the manual, its blocks run: docs/_build/html/index.html
	@MSCPOOL_RUN_BLOCKS=1 PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build/html

lock: $(UV)  ## pin the libraries anew after pyproject.toml changed (UPGRADE=1 takes the newest)
	@$(UV) pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.12 --generate-hashes \
		--no-header --quiet $(if $(UPGRADE),--upgrade) --output-file requirements.lock

format: setup  ## lay the code out as the linters want it
	@$(PYTHON) -m ruff check --fix --quiet .
	@$(PYTHON) -m ruff format --quiet .

clean-cache: setup  ## remove the compiled models that fits keep between runs
	@$(PYTHON) -c "from mscpool.analysis.fitting.compiled_code import clear; clear()"

clean:  ## remove the environment and every cache; results stay
	@rm -rf .venv .tools build dist docs/_build mscpool.egg-info .pytest_cache .ruff_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv from the path where it runs, else from the package index.
$(UV):
	@rm -rf .tools && mkdir -p .tools/bin
	@if uv --version >/dev/null 2>&1; then ln -s "$$(command -v uv)" $@; else \
		echo 'Getting uv into .tools'; $(WITH_EVERY_PYENV); \
		for python in python3 python /usr/bin/python3; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || continue; \
			if "$$python" -m venv .tools >/dev/null 2>&1; \
			then .tools/bin/python -m pip install --quiet 'uv>=0.8' && break; \
			else rm -rf .tools; "$$python" -m pip install --quiet --target .tools 'uv>=0.8' && break; fi; \
		done; \
		$@ --version >/dev/null 2>&1 || { rm -rf .tools; \
			echo 'uv could not be installed: install it, or a python3 with pip, and run make again' >&2; exit 1; }; \
	fi

# The wanted Python where it is present or can be fetched, else any that serves.
.venv/pyvenv.cfg: .python-version | $(UV)
	@rm -rf .venv; wanted=$$(cat .python-version); $(WITH_EVERY_PYENV); \
	$(UV) venv --quiet --no-python-downloads --python "$$wanted" .venv 2>/dev/null \
	|| UV_HTTP_TIMEOUT=20 UV_HTTP_RETRIES=0 $(UV) venv --quiet --python "$$wanted" .venv 2>/dev/null \
	|| if $(UV) venv --quiet --no-python-downloads --python '>=3.12' .venv 2>/dev/null; \
		then echo "Python $$wanted cannot be had here: using $$($(PYTHON) --version)" >&2; \
		else echo "Python $$wanted cannot be had here, nor is any from 3.12 on present: install one" >&2; exit 1; fi
	@touch $@

.venv/.ready: requirements.lock pyproject.toml .venv/pyvenv.cfg
	@echo 'Installing the pinned libraries into .venv'
	@$(UV) pip sync --quiet --compile-bytecode --python $(PYTHON) --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@pwd -P >$@
