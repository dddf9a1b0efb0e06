# Every target sets up what it needs; Python 3.11 or later is all the machine must have.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo up test lint bench clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[embedded,test,dev]"
	touch $@

demo: install
	$(BIN)/shenguan demo --json

up: install
	$(BIN)/shenguan up --sample 300

test: install
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not kafka" tests/acceptance tests/browser tests/integration tests/spec tests/unit
	@if command -v java >/dev/null && command -v mvn >/dev/null; then \
	  $(BIN)/python -m pytest -m kafka tests/integration tests/acceptance; \
	else echo "java and mvn are not both here: the real-Kafka suite is not run"; fi

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/shenguan bench

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
