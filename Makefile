# Gatehouse. `make help` lists what there is; every target sets up what it needs
# from a bare Python 3.11. Nothing is installed outside this folder.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV := $(BIN)/uv
SYNC := $(UV) pip sync --quiet --require-hashes --python

# .venv: tools, tests, the command line · .venvs/cloud: the emulator, which pins its own
# botocore · .venvs/runtime: what AWS puts into a Lambda · .venvs/sam: the SAM CLI, which
# pins half of PyPI · .venvs/bench: the peers of the benchmarks, but those of bench-assess, which
# have environments of their own
DEV := .venv/.synced
CLOUD := .venvs/cloud/.synced
RUNTIME := .venvs/runtime/.synced
SAM := .venvs/sam/.synced
BENCH := .venvs/bench/.synced
EMBEDDED := $(DEV) $(CLOUD) $(RUNTIME) $(SAM)

ENV ?= dev
CI_XDIST ?= 3

# Where it is set, every process compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

##@ Use

.PHONY: demo
demo: $(EMBEDDED) ## Deploy into the embedded cloud and run the main job on a million events
	$(BIN)/gatehouse demo

.PHONY: demo-database-logs
demo-database-logs: $(EMBEDDED) ## Collect hours of the logs of 316 emulated databases, and prove the lake line by line
	$(BIN)/gatehouse demo database-logs $(ARGS)

.PHONY: demo-data-protection
demo-data-protection: $(EMBEDDED) ## Bring an account from the standard's starting state to 100 %, disturb it, and write the report
	$(BIN)/gatehouse demo data-protection $(ARGS)

.PHONY: build
build: $(EMBEDDED) ## sam build for AWS (ENV=dev|prod)
	$(BIN)/gatehouse build --env $(ENV)

.PHONY: deploy
deploy: build ## sam deploy to AWS with your credentials (ENV=dev|prod)
	$(BIN)/gatehouse deploy --env $(ENV)

##@ Develop

.PHONY: test
test: $(EMBEDDED) ## All tests
	$(BIN)/python -m tests.run

.PHONY: test-thorough
test-thorough: $(EMBEDDED) ## All tests, with all examples and moments that make test takes a third of: for every night
	GATEHOUSE_TESTS=thorough $(BIN)/python -m tests.run

.PHONY: check
check: $(EMBEDDED) ## All static checks: ruff, mypy, import walls, cfn-lint, sam validate, locks
	$(BIN)/python -m tests.check

.PHONY: pr
pr: check test ## What a change must pass

.PHONY: bench
bench: bench-firewall bench-pipeline bench-query bench-scale bench-rds-parse bench-rds-discovery bench-rds-scale bench-assess bench-protection-scale ## All benchmarks

.PHONY: bench-firewall
bench-firewall: $(DEV) $(BENCH) ## The unit's work against DuckDB, pandas and the copy limit
	.venvs/bench/bin/python bench/firewall_transform.py $(ARGS)

.PHONY: bench-pipeline
bench-pipeline: $(EMBEDDED) ## End to end through the embedded cloud at 1, 2, 4, 8 units at once
	$(BIN)/python bench/firewall_pipeline.py $(ARGS)

.PHONY: bench-query
bench-query: $(DEV) $(BENCH) ## Analysts' questions to raw objects and to the lake, in DuckDB and Polars
	.venvs/bench/bin/python bench/firewall_query.py $(ARGS)

.PHONY: bench-scale
bench-scale: $(DEV) ## What 2 billion rows and up to 10,000 objects a day take and cost, by what was measured
	$(BIN)/python bench/firewall_scale.py $(ARGS)

.PHONY: bench-rds-parse
bench-rds-parse: $(DEV) ## Logs of databases to typed parquet, against pgbadger and pt-query-digest where installed
	$(BIN)/python bench/rds_parse.py $(ARGS)

.PHONY: bench-rds-discovery
bench-rds-discovery: $(DEV) ## Calls to RDS that discovery makes for 316 instances, and its lag, against polling each minute
	$(BIN)/python bench/rds_discovery.py $(ARGS)

.PHONY: bench-rds-scale
bench-rds-scale: $(DEV) ## What 100 TB of database logs a month take and cost, against CloudWatch Logs
	$(BIN)/python bench/rds_scale.py $(ARGS)

.PHONY: bench-assess
bench-assess: $(EMBEDDED) ## Assessing 60 tables and 61 buckets, and ten times that, against Cloud Custodian and Prowler
	-@for peer in c7n prowler; do $(MAKE) --no-print-directory .venvs/bench-assess-$$peer/.synced || echo "$$peer cannot be had here: the benchmark goes on without it" >&2; done
	$(BIN)/python bench/assess.py $(ARGS)

.PHONY: bench-protection-scale
bench-protection-scale: $(DEV) ## What data_protection costs a month with 1, 20 and 300 accounts, here and in each of them
	$(BIN)/python bench/protection_scale.py $(ARGS)

.PHONY: setup
setup: $(EMBEDDED) ## Only set up the environments

.PHONY: lock
lock: $(DEV) ## Resolve requirements/*.in and layers/*/requirements.in again
	$(BIN)/python -m tests.lock

.PHONY: clean
clean: ## Stop the embedded cloud and remove environments, builds and outputs
	-@[ -x $(BIN)/gatehouse ] && $(BIN)/gatehouse down --quiet
	rm -rf .venv .venvs .aws-sam .local out .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-20s\033[0m %s\n", $$1, $$2} END {print "\nWhat a command takes besides: make demo-database-logs ARGS=\"--hours 1\""}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- environments

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Gatehouse needs Python 3.11, the version of its Lambda runtime; '$(PYTHON)' is another, or is not there. Install it and run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $(UV)

$(DEV): requirements/dev.txt pyproject.toml $(UV)
	@echo "setting up .venv from requirements/dev.txt"
	@$(SYNC) $(BIN)/python requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venvs/%/.synced: requirements/%.txt $(UV)
	@echo "setting up .venvs/$* from $<"
	@[ -x .venvs/$*/bin/python ] || $(BIN)/python -m venv --without-pip .venvs/$*
	@$(SYNC) .venvs/$*/bin/python $<
	@touch $@
