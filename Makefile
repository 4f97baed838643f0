# Goldsmith's tasks. `make` without arguments lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup airflow-env airflow-test services-test others-test demo test unit lint faults bench superset-env schema reference clean env up down ps logs put submit sql e2e backup restore

DAYS ?= 7
JOBS ?= 2
UV_VERSION := 0.13.8
CACHE := $(or $(GOLDSMITH_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/goldsmith)
PYTHON ?= python3
export UV_PROJECT_ENVIRONMENT ?= .venv
# Without bytecode files, each of the hundreds of Python processes of a test run compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
UV = $(or $(shell command -v uv 2>/dev/null),$(CACHE)/uv/bin/uv)

help: ## List these tasks
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: .venv/.ready ## Install uv, .venv and Delta's jars (once, without root)
	@.venv/bin/python -m goldsmith.engine.launch.jars >/dev/null || .venv/bin/python -m goldsmith.engine.launch.jars
	@.venv/bin/python -m goldsmith.engine.launch.compiled_jars >/dev/null

.venv/.ready: pyproject.toml uv.lock
	@tools/setup.sh "$(PYTHON)" "$(CACHE)" "$(UV_VERSION)"
	@touch $@

airflow-env: setup .venv-airflow/.ready ## Create Airflow's environment, separate from Spark's

# Goldsmith's source is added to its path; the dependencies that Airflow needs are in the group `airflow`.
.venv-airflow/.ready: pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=.venv-airflow $(UV) sync --frozen --quiet --only-group airflow --python .venv/bin/python
	@echo "$(CURDIR)/src" > $$(echo .venv-airflow/lib/python3*/site-packages)/goldsmith.pth
	@touch $@

demo: setup ## Replay the first DAYS=7 days of the flights of 2013 and write the report
	@.venv/bin/goldsmith feed replay flights --from 2013-01-01 --to $$(.venv/bin/python -c "import datetime as d; print(d.date(2013,1,1)+d.timedelta($(DAYS)))")

test: setup airflow-env lint ## Run all tests: unit, Spark, browser, and services as real processes
	.venv/bin/pytest tests/unit -q -n $(JOBS)
	@# The longest files first: a worker that starts one of them last would run alone.
	.venv/bin/pytest tests/e2e tests/spark/test_kills.py tests/spark tests/browser -q -n $(JOBS) --dist loadfile --no-loadscope-reorder
	@# These tests wait more than they compute.
	$(MAKE) --jobs 2 --output-sync=recurse services-test others-test

services-test: setup airflow-env
	.venv/bin/pytest tests/services -q

others-test: setup airflow-env
	.venv/bin/pytest tests/differential -q
	.venv/bin/pytest tests/cluster -q
	$(MAKE) airflow-test

airflow-test: airflow-env ## Test the DAGs in Airflow's environment
	.venv-airflow/bin/pytest tests/airflow -q -c tests/airflow/pytest.ini --rootdir tests/airflow

unit: setup ## Run the tests without Spark
	.venv/bin/pytest tests/unit -q

lint: setup ## Check style, types, layers, declarations and generated files
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/goldsmith check
	.venv/bin/goldsmith schema generate schema --check
	.venv/bin/python -m goldsmith.cli.reference docs/cli.md --check
	.venv/bin/goldsmith dqops generate --check
	.venv/bin/goldsmith airflow generate --check
	.venv/bin/goldsmith superset generate --check

faults: setup ## Run all kills, races and random cases (an hour or more)
	HYPOTHESIS_PROFILE=faults .venv/bin/pytest tests -q --faults --ignore tests/services --ignore tests/cluster --ignore tests/differential
	PYTHONPATH=tests .venv/bin/python -m differential --seeds 0:2000 --jobs 2
	.venv/bin/pytest tests/differential -q
	HYPOTHESIS_PROFILE=faults .venv/bin/pytest tests/services -q --faults
	HYPOTHESIS_PROFILE=faults .venv/bin/pytest tests/cluster -q --faults

bench: setup ## Compare Goldsmith with the same pipeline in plain PySpark
	.venv/bin/python bench/overhead.py

superset-env: setup ## Create .venv-superset with the pinned Superset (600 MB)
	UV_PROJECT_ENVIRONMENT="$(CURDIR)/.venv-superset" $(UV) sync --frozen --project superset

schema: setup ## Write the JSON Schemas for editors
	.venv/bin/goldsmith schema generate schema

reference: setup ## Write docs/cli.md, the reference of the commands
	.venv/bin/python -m goldsmith.cli.reference docs/cli.md

COMPOSE = @$(PYTHON) tools/compose.py

env: ## Create .env with new secrets, or add the settings that a newer version needs
	@$(PYTHON) tools/env.py

up: env ## Pull, build and start the containers; wait until all are healthy
	$(COMPOSE) up

down: ## Stop and remove the containers; the data stays
	$(COMPOSE) down

ps: ## List the containers
	$(COMPOSE) ps --all

logs: ## Show the logs of all containers or of S=SERVICE; FOLLOW=1 follows until Ctrl-C
	$(COMPOSE) logs --tail 200 $(if $(FOLLOW),--follow) $(S)

export FILE TO
put: ## Deliver FILE=orders.csv to the lake, TO=landing/orders/
	@tools/put.sh "$$FILE" "$$TO"

submit: ## Run JOB=FILE below jobs/ on the cluster, with ARGS="..."
	$(COMPOSE) --progress quiet run --rm --no-deps jobs submit $(if $(JOB),jobs/$(patsubst jobs/%,%,$(JOB)),$(error Name a job: make submit JOB=examples/rows.py)) $(ARGS)

export Q
sql: ## Send Q="SELECT ..." to the Thrift Server
	@printf '%s' "$$Q" | $(PYTHON) tools/compose.py exec --no-TTY thrift-server serving

e2e: setup ## Test the containers with Docker (an hour)
	GOLDSMITH_E2E=1 .venv/bin/pytest tests/e2e -q -k compose

backup: ## Save .env, the metastore and the bucket into TO=FOLDER
	@tools/backup.sh "$(TO)"

restore: ## Restore a backup from FROM=FOLDER
	@tools/restore.sh "$(FROM)"

clean: ## Remove the files of the demo and the tests
	rm -rf .goldsmith .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
