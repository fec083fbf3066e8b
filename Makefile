# `make demo` and `make test` need nothing but Python >= 3.11; the rest is for developers.
PYTHON ?= python3
BIN := .venv/bin
# Modules are compiled when they are first imported, which most of them never are.
INSTALL := -m pip install --quiet --no-compile

.PHONY: demo test test-oldest test-wheel test-clients docs lint format clean

demo: .venv/.demo
	$(BIN)/python examples/mixed_columns.py reports/customers.csv
	$(BIN)/python -m skmetricmlp compare reports/customers.csv --target stays --n-jobs -1

test: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

# The oldest scikit-learn and NumPy that are supported, in an environment of its own.
# Pages, pictures, the command, clusters, formulas by hand and functions of plain arrays
# do not depend on them.
test-oldest: .venv-oldest/.test
	OMP_NUM_THREADS=1 .venv-oldest/bin/python -m pytest -n auto --dist worksteal \
	  tests skmetricmlp --ignore-glob='tests/test_study*.py' \
	  $(foreach name,activations_and_losses basis command_faults dask docs docstrings\
	  examples files first_tables held_out hostile_names images imports inspection lbfgs memory network\
	  onnx optimizers out_of_core packaging plotting random_calls report tables_benchmark\
	  variance_constraint weights_by_hand,\
	  --ignore=tests/test_$(name).py)

# The distributions, as a user gets them: installed in a clean environment, and used
# outside the checkout.
test-wheel: .venv/.package
	PYTHON=$(PYTHON) BUILD="$(BIN)/python -m build" .ci/test-wheel

# Scripts that use the estimators from other packages, of pinned versions.
test-clients: .venv-clients/.test
	@for script in clients/*.py; do \
	  OMP_NUM_THREADS=1 .venv-clients/bin/python -W ignore $$script || exit 1; done

# The site, without a network. INTERSPHINX=1 links to other projects' manuals.
docs: .venv/.docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet \
	  -d docs/_build/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sp-repo-review .

format: .venv/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-oldest .venv-wheel .venv-clients dist reports docs/_build docs/gallery docs/api/generated docs/api/backreferences

# --- environments: made once, and again when pyproject.toml changes ---

# pip knows dependency groups since 25.1.
.venv/.pip .venv-oldest/.pip .venv-clients/.pip:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) --upgrade "pip>=25.1"
	touch $@

.venv/.demo: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --editable ".[study]"
	touch $@

.venv/.test: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --editable . --group test
	touch $@

.venv/.docs: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --editable . --group docs
	touch $@

.venv/.lint: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --editable . --group dev
	touch $@

.venv/.package: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --group package
	touch $@

# All of these at once, which takes less time.
.venv/.all: .venv/.pip pyproject.toml
	$(BIN)/python $(INSTALL) --editable . --group dev --group docs
	touch .venv/.test .venv/.docs .venv/.lint .venv/.package $@

.venv-oldest/.test: .venv-oldest/.pip pyproject.toml
	.venv-oldest/bin/python $(INSTALL) --editable . --group test \
	  "scikit-learn==1.6.*" "numpy==2.0.*" "scipy==1.14.*"
	touch $@

.venv-clients/.test: .venv-clients/.pip clients/requirements.txt pyproject.toml
	.venv-clients/bin/python $(INSTALL) --editable . -r clients/requirements.txt
	touch $@
