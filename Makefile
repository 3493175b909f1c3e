# `make` lists the targets. Each is a thin call of a command that has its own --help.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help packages setup check check-types check-rest coverage test test-end-to-end test-serving test-faults test-postgres test-notebooks \
	test-benchmarks test-mutation test-browser screenshots recording test-container demo pipeline data fidelity study compare train promote \
	deployment-recording rollback explain counterfactuals reasons fairness mitigation quotable lawful missing rules \
	notebooks import bento container page-image serve ui mlflow drift bench lock clean deploy rollback-deployment destroy \
	test-cloud test-docs test-spark test-dask slides docs

UV_VERSION := 0.13.9
# Without it, uv takes any Python on this machine that pyproject.toml allows, and fetches one only where there is none.
PYTHON_VERSION ?=
WORKERS ?= 2
MUTANTS ?= 250
RUN := .venv/bin/python -m
# What the user sets reaches the shell as environment variables, unchanged: a folder may be named `my data (2026); $$x`.
VARIABLES := DATA CAPACITY CONTAINER_ENGINE PORT UI_PORT MLFLOW_PORT PYTHON_VERSION WORKERS SOAK FULL BENTO \
	ENVIRONMENT IMAGE MODEL_VERSION DELETE_JOURNAL CLOUD_OPTIONS
SET_VARIABLES := $(foreach name,$(VARIABLES),$(if $(value $(name)),$(name)))
$(foreach name,$(SET_VARIABLES),$(eval override $(name) := $$(value $(name))) $(eval export $(name)))
DATA_OPTION := $${DATA:+"--data=$$DATA"}
CAPACITY_OPTION := $${CAPACITY:+"--capacity=$$CAPACITY"}
PORT_OPTION := $${PORT:+"--port=$$PORT"}
ENVIRONMENT_OPTION := $${ENVIRONMENT:+"--environment=$$ENVIRONMENT"}
PYTHON_OPTION := $${PYTHON_VERSION:+"--python=$$PYTHON_VERSION"}
# uv from the PATH, or else the one that pip puts into .venv.
UV := "$$(command -v uv || echo .venv/bin/uv)"
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  DATA=folder names your data; without it data/raw, or else synthetic data. Quote a folder with blanks."
	@echo "  PORT=number, UI_PORT=number and MLFLOW_PORT=number choose other ports than 3000, 8501 and 5000."
	@echo "  CAPACITY=share, 0.1 say, has train, pipeline and demo leave the closest cases, up to that share, to a person."

packages: ## Install the Debian packages that the tests beyond Python need
	@as_root=; [ "$$(id -u)" -eq 0 ] || as_root=sudo; $$as_root apt-get update -qq \
		&& $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		$$(sed 's/#.*//' .ci/packages.txt) >/dev/null

setup: .venv/.synced .venv-serve/.synced ## Make the two environments: .venv (everything) and .venv-serve (what the container holds)

.venv/.synced: uv.lock pyproject.toml
	@command -v uv >/dev/null || [ -x .venv/bin/uv ] || { \
		echo "uv is not installed: putting it into .venv"; \
		python3 -m venv --clear .venv && .venv/bin/pip install --quiet uv==$(UV_VERSION); }
	@echo "making .venv"
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --locked --quiet $(PYTHON_OPTION)
	@touch $@

.venv-serve/.synced: .venv/.synced
	@echo "making .venv-serve"
	@UV_PROJECT_ENVIRONMENT=.venv-serve $(UV) sync --locked --quiet --no-default-groups $(PYTHON_OPTION)
	@touch $@

.venv-serve-tests/.synced: .venv/.synced
	@echo "making .venv-serve-tests"
	@UV_PROJECT_ENVIRONMENT=.venv-serve-tests $(UV) sync --locked --quiet --no-default-groups --group serving-tests \
		$(PYTHON_OPTION)
	@touch $@

.venv-spark/.synced: .venv/.synced
	@echo "making .venv-spark"
	@UV_PROJECT_ENVIRONMENT=.venv-spark $(UV) sync --locked --quiet --no-default-groups --group serving-tests \
		--group spark $(PYTHON_OPTION)
	@touch $@

.venv-dask/.synced: .venv/.synced
	@echo "making .venv-dask"
	@UV_PROJECT_ENVIRONMENT=.venv-dask $(UV) sync --locked --quiet --no-default-groups --group serving-tests \
		--group research --group dask $(PYTHON_OPTION)
	@touch $@

demo: setup ## Everything: data, training, Bento, service on 3000, UI on 8501, one client scored; Ctrl-C stops it
	@$(RUN) research demo $(DATA_OPTION) $(CAPACITY_OPTION) $(PORT_OPTION) $${UI_PORT:+"--ui-port=$$UI_PORT"}

pipeline: setup ## Data, train, register, import, build the Bento, score one client; nothing left running
	@$(RUN) research pipeline $(DATA_OPTION) $(CAPACITY_OPTION)

data: setup ## Make 20,000 synthetic clients in data/synthetic
	@$(RUN) research data synth

fidelity: setup ## How faithful the synthetic data is to the real data: table, figure, JSON
	@$(RUN) research fidelity "--data=$${DATA:-data/synthetic}"

study: setup ## The worth of features and tables: AUC and cost, selection, constraints, age
	@$(RUN) research study $(DATA_OPTION)

compare: setup ## Compare families and imbalance treatments on the same folds by cost; resumes where it stopped
	@$(RUN) research compare $(DATA_OPTION)

train: setup ## Train a model and register it as challenger
	@$(RUN) research train $(DATA_OPTION) $(CAPACITY_OPTION)

promote: setup ## The gate: challenger against champion; exit code 1 where it is refused
	@$(RUN) research promote $(DATA_OPTION)

rollback: setup ## Make the previous champion champion again
	@$(RUN) research rollback

explain: setup ## The features the champion relies on: SHAP, LIME, figures
	@$(RUN) research explain $(DATA_OPTION)

counterfactuals: setup ## The share of refusals with another loan that would be granted, each tried
	@$(RUN) research counterfactuals $(DATA_OPTION)

reasons: setup ## Whether the first reasons of refusals are true to the model, and the same after training again
	@$(RUN) research reasons $(DATA_OPTION)

fairness: setup ## The cost of leaving gender and age out
	@$(RUN) research fairness $(DATA_OPTION)

mitigation: setup ## What approving more clients under 30 by weighted training would cost
	@$(RUN) research mitigation $(DATA_OPTION)

quotable: setup ## The cost of leaving out what cannot be quoted to a client, and of holding the quoted directions
	@$(RUN) research quotable $(DATA_OPTION)

lawful: setup ## The cost of leaving out what a strict reading of the law doubts, together and by circumstance
	@$(RUN) research lawful $(DATA_OPTION)

missing: setup ## What leaving out each optional field changes: PD, decisions, warnings
	@$(RUN) research missing $(DATA_OPTION)

rules: setup ## What each rule of the lender stops and costs (RULES=file, by default those of the project)
	@$(RUN) research rules $(DATA_OPTION) $(if $(RULES),--rules $(RULES))

notebooks: setup ## Execute the five notebooks, with their outputs
	@$(RUN) research notebooks $(DATA_OPTION)

import: setup ## Import the registry's champion into the BentoML store
	@$(RUN) research import

bento: setup ## Build the Bento of the latest imported model
	@$(RUN) research build

container: setup ## Build the image of the latest Bento (CONTAINER_ENGINE=docker|podman|buildah)
	@$(RUN) research containerize $${CONTAINER_ENGINE:+"--engine=$$CONTAINER_ENGINE"}

page-image: setup ## Build the image of the officers' page, and its bill of materials (CONTAINER_ENGINE as above)
	@$(RUN) research page-image $${CONTAINER_ENGINE:+"--engine=$$CONTAINER_ENGINE"}

deploy: setup ## Deploy IMAGE (by digest) of MODEL_VERSION in ENVIRONMENT (staging or production), step by step
	@$(RUN) research cloud deploy $(ENVIRONMENT_OPTION) $${IMAGE:+"--image=$$IMAGE"} \
		$${MODEL_VERSION:+"--model-version=$$MODEL_VERSION"} $$CLOUD_OPTIONS

rollback-deployment: setup ## Put the release deployed before back into service in ENVIRONMENT
	@$(RUN) research cloud rollback $(ENVIRONMENT_OPTION) $$CLOUD_OPTIONS

destroy: setup ## List what would be lost, ask, and delete ENVIRONMENT (DELETE_JOURNAL=its name: the journal too)
	@$(RUN) research cloud destroy $(ENVIRONMENT_OPTION) $${DELETE_JOURNAL:+"--delete-journal=$$DELETE_JOURNAL"} \
		$$CLOUD_OPTIONS

serve: setup ## Serve the latest Bento on 127.0.0.1:3000, without API keys
	@.venv-serve/bin/python -m bento serve --no-auth --upgrade-journal $(PORT_OPTION)

ui: setup ## Open the UI on 127.0.0.1:8501, against the service on 3000
	@$(RUN) research show ui $${UI_PORT:+"--port=$$UI_PORT"}

mlflow: setup ## Show runs and registry on 127.0.0.1:5000
	@$(RUN) research show mlflow $${MLFLOW_PORT:+"--port=$$MLFLOW_PORT"}

drift: setup ## The drift report, training against new applications; where it finds drift, make ends with an error
	@$(RUN) drift report $(DATA_OPTION)

bench: setup ## The benchmarks, one table out (SOAK=50000 also watches memory, FULL=folder also a full size)
	@$(RUN) tests.benchmarks $${SOAK:+"--soak=$$SOAK"} $${FULL:+"--full=$$FULL"} $${BENTO:+"--bento=$$BENTO"}
	@$(RUN) tests.benchmarks.drift $${FULL:+"--data=$$FULL"}
	@$(RUN) tests.benchmarks.portfolio
	@$(RUN) tests.benchmarks.portfolio_page
	@$(RUN) tests.benchmarks.service_page

# Each check prints what is wrong, and nothing else. mypy takes longest, so it runs beside the others.
check: setup ## Format, lint, types, layers, words
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-types check-rest

check-types:
	@.venv/bin/mypy --no-error-summary

check-rest:
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@output=$$(.venv/bin/lint-imports) || { echo "$$output"; exit 1; }
	@$(RUN) tests.words
	@.venv/bin/actionlint
	@output=$$(.venv/bin/zizmor --offline --quiet --no-progress --persona=auditor .github) || { echo "$$output"; exit 1; }

IN_PROCESSES := .venv/bin/pytest -n "$$WORKERS" --dist loadscope --no-loadscope-reorder --max-worker-restart 0

test: setup ## The fast tests, which need nothing beyond Python, in two processes (WORKERS=2)
	@$(IN_PROCESSES) -m "not postgresql and not end_to_end"

test-end-to-end: setup ## Commands and services as a whole: pipeline, service, journal, drift (WORKERS=2)
	@$(IN_PROCESSES) -m "end_to_end and not postgresql"

coverage: setup ## The tests of both, and the share of lines that they run: build/coverage.json
	@mkdir -p build; COVERAGE_FILE=build/coverage $(IN_PROCESSES) -m "not postgresql" --cov=bento --cov=research \
		--cov=drift --cov=ui --cov-report=json:build/coverage.json --cov-report=

test-serving: .venv-serve-tests/.synced ## The tests of bento with what the container holds, and pytest
	@.venv-serve-tests/bin/python -m pytest -m "not postgresql" bento tests/bento

test-faults: setup ## Faults, fuzzing and Schemathesis, against real services
	@.venv/bin/pytest -m "not postgresql" tests/faults

test-postgres: setup ## The journal, its faults, and a team's MLflow, on a PostgreSQL server that the tests start
	@$(RUN) tests.support.postgresql
	@.venv/bin/pytest -m postgresql tests/bento tests/faults tests/drift tests/end_to_end tests/research/registry

test-notebooks: setup ## The five notebooks, on little data and an empty registry
	@.venv/bin/pytest tests/notebooks

test-benchmarks: setup ## The benchmarks and the proof of the drift report, on little data
	@.venv/bin/pytest tests/benchmarks tests/drift_proof

test-mutation: setup ## A sample of mutants of the features: do the tests detect them?
	@$(RUN) tests.mutation --sample $(MUTANTS)

test-spark: .venv-spark/.synced ## A portfolio on Spark, on two cores of this machine: decisions, skew, kills, errors
	@command -v java >/dev/null || { echo "missing: java (Debian package default-jre-headless)"; exit 2; }
	@.venv-spark/bin/python -m pytest tests/spark

test-dask: .venv-dask/.synced ## Training on a Dask cluster, of two processes of this machine: quality, memory, errors
	@.venv-dask/bin/python -m pytest tests/dask

test-browser: setup ## The UI in headless Chromium and Firefox, against a real service
	@for program in "$${CHROMIUM:-chromium}" "$${FIREFOX_ESR:-firefox-esr}"; do \
		command -v "$$program" >/dev/null || { echo "missing: $$program (a Debian package)"; exit 2; }; done
	@.venv/bin/pytest tests/browser

screenshots: setup ## Take the pictures of the pages again, into docs/images
	@SCREENSHOTS=docs/images .venv/bin/pytest tests/browser -k pictures
	@DRIFT_SCREENSHOT=docs/images/drift_report.png .venv/bin/pytest tests/browser/test_drift_report.py

recording: setup ## Record make demo again, as the moving picture of the README
	@$(RUN) tests.recording

deployment-recording: setup ## Record what a deployment prints again, which a slide shows; a server stands for AWS
	@DEPLOYMENT_RECORDING=research/reporting/slides/deployment.txt .venv/bin/pytest tests/cloud/test_recorded_deployment.py

test-container: setup ## The image: built, run, and asked the same as the service
	@for program in buildah debootstrap runc; do \
		command -v $$program >/dev/null || { echo "missing: $$program (Debian package $$program)"; exit 2; }; done
	@.venv/bin/pytest tests/container

test-cloud: setup ## The cloud stack and the workflows: templates, deployments, deploy.yml walked through, no real AWS
	@.venv/bin/pytest tests/cloud tests/walk

slides: setup ## The slides of the talk in English and French: build/slides, .pptx, and PDF where LibreOffice is installed
	@$(RUN) research slides

docs: setup ## The site of documentation: build/site; the note of method as PDF: build/note, where Chromium is installed
	@$(RUN) research docs

test-docs: setup ## The site of documentation, links and spelling
	@command -v hunspell >/dev/null || { \
		echo "missing: hunspell (Debian packages hunspell, hunspell-en-gb, hunspell-fr)"; exit 2; }
	@.venv/bin/pytest tests/docs

lock: setup ## Renew uv.lock within the bounds of pyproject.toml
	@$(UV) lock --upgrade

clean: ## Remove environments and caches; data, runs and the Bento store stay
	@rm -rf .venv .venv-serve .venv-serve-tests .venv-spark .venv-dask build requirements.txt .pytest_cache .mypy_cache .ruff_cache .hypothesis
