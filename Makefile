# Accord's commands. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
VENV := .venv
PY := $(VENV)/bin/python
# as many processes as tests/layers.py says
PYTEST := $(PY) -m pytest -n auto --no-loadscope-reorder
export PYTHONUNBUFFERED := 1
# container images like to set it: every task and every test process would compile what it imports anew, for seconds
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo down status test test-fast soak bench lint format lock clean distclean \
	test-static test-unit test-contract test-dags test-integration test-faults test-outside test-e2e

help: ## this list
	@awk 'BEGIN {FS = ":.*## "; print "make <command>\n"} /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# .ci/install compares content, not times: it costs a few milliseconds when there is nothing to do.
install: ## make .venv and install everything locked into it (Python 3.11-3.13; PYTHON=… to choose)
	@.ci/install

demo: install ## start everything, load the sample company, run the customer DAGs, print what happened
	@$(PY) -m sandbox.demo up

down: ## stop every process the demo started, and nothing else (the data stays)
	@if [ -x $(PY) ]; then $(PY) -m sandbox.demo down; else echo "Nothing to stop: nothing is installed here."; fi

status: install ## what runs, where, and how to log in
	@$(PY) -m sandbox.demo status

test: install ## every test; starts what it needs; at most 20 minutes on two cores
	@ACCORD_PORTS=any $(PY) -m sandbox.erp prepare
	@$(PYTEST)

test-fast: install ## static checks and unit tests: no services
	@$(PYTEST) tests/static tests/unit

# test-unit, test-integration …: one layer
test-static test-unit test-contract test-dags test-integration test-faults test-outside test-e2e: install
	@$(PYTEST) tests/$(@:test-%=%)

soak: install ## SCHEDULES=2000 stories of faults from seeds (FIRST=0 on), with a table; SEED=17 one, with its diary; AGAINST=memory|org|org+tables
	@$(PY) -m tests.faults.simulator.soak --against $(or $(AGAINST),memory) $(if $(SEED),--seed $(SEED),--schedules $(or $(SCHEDULES),2000) --first $(or $(FIRST),0))

bench: install ## how fast, and against what: PARTS=bulk,gate,… RECORDS=1000000 to choose; a table and .local/benchmarks.json
	@$(PY) -m tests.benchmarks $(if $(PARTS),--parts $(PARTS)) $(if $(RECORDS),--records $(RECORDS))

lint: install ## ruff, mypy --strict, the ring rule
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy --strict $(wildcard include/accord plugins/accord_airflow) include/sandbox
	@$(PY) .ci/rings.py

format: install ## sort imports, fix what can be fixed, format
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

lock: install ## resolve the locks again; UPGRADE=1 takes newer versions within requirements.txt
	@compile() { $(CURDIR)/$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) "$$@"; }; \
	compile requirements.txt -o requirements.lock; \
	compile requirements.txt --group dev -c requirements.lock -o requirements-dev.lock; \
	(cd include/sandbox/erp; compile requirements.in -o requirements.lock); \
	cd tests/outside/tools; for tool in *.in; do compile $$tool -o $${tool%.in}.lock; done

clean: ## remove caches and reports; keeps .venv and the demo's data
	@rm -rf .local/cache/mypy .local/cache/pytest .local/cache/ruff .hypothesis
	@find dags include plugins tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: down clean ## stop everything and remove .venv and all local data
	@rm -rf $(VENV) .local
