# Every recipe a developer, the demo and CI use. `make help` lists them; `make demo` and `make test` need nothing before.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DONDOC_HOME ?= $(CURDIR)/.dondoc
export PIP_DISABLE_PIP_VERSION_CHECK := 1
JARS := $(DONDOC_HOME)/kafka/jars
# The newest that Debian 12's own Go, 1.19, can build.
TOXIPROXY_VERSION := 2.8.0
TOXIPROXY := $(DONDOC_HOME)/toxiproxy
VERAPDF := $(DONDOC_HOME)/verapdf/jars
SBOM := $(DONDOC_HOME)/sbom
SOURCES := services schemas deploy/local tests
# Universal: one lock holds for every Python from 3.11 on and every platform. No index address gets in.
COMPILE := env -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

.PHONY: help sbom setup preflight demo up down check test lint types imports unit contract integration e2e chaos clients containers cluster bench looks fuzz coverage format lock clean

help: ## list the recipes
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- set-up: each stamp is as new as what it was made from, so a second run does nothing ------------------------------

setup: $(VENV)/.installed $(JARS)/.copied ## the Python environment and the broker's jars

preflight:
	@PYTHON=$(PYTHON) deploy/local/preflight.sh

$(VENV)/.created: | preflight
	@echo "setup: creating $(VENV)"
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@touch $@

# The lock is whole, so pip resolves nothing: it would not find in it what a package asks for with an extra. Errors alone
# are shown: one package has no wheel, and old versions of pip warn that it is built.
$(VENV)/.installed: requirements-dev.txt requirements-local.txt pyproject.toml | $(VENV)/.created
	@echo "setup: installing the locked Python packages"
	@$(BIN)/python -m pip install -qq --require-hashes --no-deps -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-local.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.fuzzer: requirements-fuzz.txt $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-fuzz.txt
	@touch $@

$(JARS)/.copied: deploy/local/pom.xml | preflight
	@echo "setup: fetching the Kafka broker"
	@rm -rf $(JARS) && mkdir -p $(JARS)
	@mvn -q -B -Dstyle.color=never -f deploy/local/pom.xml dependency:copy-dependencies -DoutputDirectory=$(JARS)
	@touch $@

# For `make chaos` alone: who only runs the demo and the gates needs no Go.
$(TOXIPROXY)/.built-$(TOXIPROXY_VERSION):
	@PYTHON=$(PYTHON) deploy/local/preflight.sh go
	@echo "setup: building Toxiproxy $(TOXIPROXY_VERSION)"
	@rm -rf $(TOXIPROXY) && mkdir -p $(TOXIPROXY)
	@GOBIN=$(TOXIPROXY) go install github.com/Shopify/toxiproxy/v2/cmd/server@v$(TOXIPROXY_VERSION)
	@touch $@

# For `make looks` alone.
$(VERAPDF)/.copied: tests/support/verapdf/pom.xml | preflight
	@echo "setup: fetching veraPDF"
	@rm -rf $(VERAPDF) && mkdir -p $(VERAPDF)
	@mvn -q -B -Dstyle.color=never -f tests/support/verapdf/pom.xml dependency:copy-dependencies -DoutputDirectory=$(VERAPDF)
	@touch $@

# --- the main job ---------------------------------------------------------------------------------------------------

# `make demo PLAN=deploy/plans/09-2019-nd-cp` plays another plan: any that has dated duties.
demo: setup ## one year of plan 6766, or of PLAN=FOLDER, at high speed, ending with the annual report in out/
	@$(BIN)/dondoc demo $(if $(PLAN),--plan $(PLAN))

up: setup ## the whole system in real time, until Ctrl-C
	@exec $(BIN)/dondoc up

down: setup ## stop what an interrupted run left behind
	@$(BIN)/python -m deploy.local down

# Two workers, each with servers of its own; the tests of one file stay together and share them.
PARALLEL := --numprocesses=2 --dist=loadfile
# Services wait for each other more than they work, so three workers keep two cores busy. What takes longest begins first.
SERVERS := --numprocesses=3 --dist=loadfile --no-loadscope-reorder

# --- the gates ------------------------------------------------------------------------------------------------------

check: setup lint types imports unit ## what to run before each commit: under three minutes

test: setup lint types imports unit contract integration e2e ## every check

lint: setup ## ruff: format and rules
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/ruff check --quiet $(SOURCES)

types: setup ## mypy --strict
	@$(BIN)/mypy $(SOURCES)

imports: setup ## import-linter
	@$(BIN)/lint-imports

# One folder or file of a level: `make unit T=tests/unit/rules`, `make integration T=tests/integration/rules/test_poison.py`.
unit: T ?= tests/unit
unit: setup ## cores only, no event loop; T=FOLDER or FILE for a part
	@$(BIN)/pytest $(PARALLEL) $(T)

contract: setup ## wire, ledger, channels, architecture, documents
	@$(BIN)/pytest $(PARALLEL) -m "not chaos" tests/contract

integration: T ?= tests/integration
integration: setup ## one service on the real broker and database; T=FOLDER or FILE for a part
	@$(BIN)/pytest $(SERVERS) -m "not chaos" $(T)

e2e: setup ## four processes, one year
	@$(BIN)/pytest $(PARALLEL) -m "not chaos" tests/e2e

chaos: $(TOXIPROXY)/.built-$(TOXIPROXY_VERSION) setup ## kills, pauses, slow and broken connections, for longer than the gates have time; every case of the long lists
	@$(BIN)/pytest tests/chaos
	@$(BIN)/pytest $(SERVERS) -m chaos tests/contract tests/integration tests/e2e

clients: setup ## CloudEvents SDKs of four languages send to intake, SMS centres and the OpenTelemetry collector receive; a missing tool is named and left out
	@PYTHON=$(BIN)/python tests/clients/prepare.sh $(DONDOC_HOME)/clients
	@DONDOC_TEST_CLIENTS=$(DONDOC_HOME)/clients $(BIN)/pytest tests/clients tests/e2e/test_observed.py

containers: setup ## image and docker-compose.yml on a Docker engine of its own: event to mail, report, faults, nothing left behind; as root
	@PYTHON=$(BIN)/python tests/containers/prepare.sh $(DONDOC_HOME)/containers
	@DONDOC_TEST_CONTAINERS=$(DONDOC_HOME)/containers tests/containers/in-root.sh $(DONDOC_HOME)/containers/root $(BIN)/pytest tests/containers

cluster: setup ## the development overlay on a one-node Kubernetes of packages from the registries, as `make containers`; as root
	@PYTHON=$(BIN)/python tests/containers/prepare.sh $(DONDOC_HOME)/containers
	@tests/cluster/prepare.sh $(DONDOC_HOME)/containers
	@DONDOC_TEST_CONTAINERS=$(DONDOC_HOME)/containers tests/containers/in-root.sh $(DONDOC_HOME)/containers/root $(BIN)/pytest tests/cluster

bench: setup ## throughput and latency beside the raw client
	@$(BIN)/pytest tests/bench -s

looks: setup $(VERAPDF)/.copied ## pages and documents as people see and hear them: every page in every form, PDF/UA-1
	@$(BIN)/pytest $(PARALLEL) tests/looks

FUZZ_SECONDS ?= 60
fuzz: setup $(VENV)/.fuzzer ## coverage-guided fuzzing of intake's decoder and of all readers of records, FUZZ_SECONDS each
	@mkdir -p out/fuzz
	@$(BIN)/python -m tests.fuzz.decoder $(DONDOC_HOME)/fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -artifact_prefix=out/fuzz/
	@$(BIN)/python -m tests.fuzz.readers $(DONDOC_HOME)/fuzz-readers -max_total_time=$(FUZZ_SECONDS) -timeout=10 -artifact_prefix=out/fuzz/readers-

# The tool has an environment of its own, so that nothing of it gets into the bill.
$(SBOM)/.installed: requirements-sbom.txt | preflight
	@rm -rf $(SBOM) && $(PYTHON) -m venv $(SBOM)
	@$(SBOM)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements-sbom.txt
	@touch $@

sbom: $(SBOM)/.installed ## the bill of materials of the product, as its image holds it (CycloneDX 1.6), in out/dondoc.cdx.json
	@mkdir -p out
	@cat requirements.txt requirements-otlp.txt | $(SBOM)/bin/cyclonedx-py requirements - --pyproject pyproject.toml \
		--mc-type application --output-reproducible --of JSON -o out/dondoc.cdx.json

coverage: setup ## branch coverage of the cores by their unit tests
	@$(BIN)/pytest tests/unit --cov --cov-report=term-missing

# --- keeping house --------------------------------------------------------------------------------------------------

format: setup ## rewrite the sources the way the gates want them
	@$(BIN)/ruff format --quiet $(SOURCES)
	@$(BIN)/ruff check --quiet --fix $(SOURCES)

lock: ## resolve requirements*.in into the hashed locks
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-otlp.in -c requirements.txt -o requirements-otlp.txt
	@$(COMPILE) requirements-dev.in -c requirements.txt -c requirements-otlp.txt -o requirements-dev.txt
	@$(COMPILE) --no-deps requirements-local.in -o requirements-local.txt
	@$(COMPILE) --no-deps requirements-fuzz.in -o requirements-fuzz.txt
	@$(COMPILE) requirements-sbom.in -o requirements-sbom.txt

clean: ## remove everything that was made here
	@rm -rf $(VENV) $(DONDOC_HOME) out build dondoc.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
