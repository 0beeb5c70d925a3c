# Ekiben. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
DISTRIBUTIONS := $(wildcard contracts/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml examples/*/pyproject.toml)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.installed: requirements.lock locks/build.lock scripts/setup.sh $(DISTRIBUTIONS)
	@echo "setting up .venv (first time: one to three minutes)"
	@PYTHON="$(PYTHON)" scripts/setup.sh

.PHONY: setup
setup: .venv/.installed ## Make .venv with every package at its locked version

.PHONY: demo
demo: setup ## The main job: a year of real flights through real Kafka, with a closing report
	@$(BIN)/ekiben demo $(DEMO)

.PHONY: up
up: setup ## The whole system on this machine; Ctrl-C drains it
	@$(BIN)/ekiben up

.PHONY: test
test: setup ## Every test, on real Kafka, BentoML and MLflow: WORKERS=2 shares the files out among two processes
	$(BIN)/pytest $(if $(WORKERS),-n $(WORKERS) --dist loadfile) $(TEST)

.PHONY: test-fast
test-fast: setup ## The tests of decisions, and the bus in memory
	$(BIN)/pytest tests/unit tests/conformance tests/simulation -m "not kafka" $(TEST)

.PHONY: simulate
simulate: setup ## The bus on a simulated broker and a virtual clock: SEEDS=2000 FROM=0; SEED=7 TRACE=1 replays one
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) \
		$(if $(SEED),--seed $(SEED)) $(if $(TRACE),--trace)

.PHONY: soak
soak: setup ## Kill, pause and end everything while a ledger is kept: REQUESTS=200000 FAULTS=50 SEED=7 MARKDOWN=FILE
	@PYTHONPATH=tests $(BIN)/python -m faults.soak $(if $(REQUESTS),--requests $(REQUESTS)) \
		$(if $(FAULTS),--faults $(FAULTS)) $(if $(SEED),--seed $(SEED)) $(if $(MARKDOWN),--markdown $(MARKDOWN))

.PHONY: faults
faults: setup ## Attack it on real Kafka: nothing lost, nothing twice; ends with a table and one JSON line
	$(BIN)/pytest tests/faults --timeout 600 $(TEST)

.PHONY: sigkill
sigkill: setup ## SIGKILL a BentoML child under load, and tell how long each thing took
	$(BIN)/pytest tests/faults/test_sigkill.py --timeout 600 $(TEST)

.PHONY: sick-shadow
sick-shadow: setup ## A challenger that shadows hangs for a minute and breaks for another: nobody else notices
	$(BIN)/pytest tests/faults/test_sick_shadow.py --full --timeout 900 $(TEST)

.PHONY: faults-full
faults-full: setup ## The same attacks in their large sizes, and the benchmark harness from end to end
	$(BIN)/pytest tests/faults tests/benchmarks --full --timeout 7200 $(TEST)

.PHONY: check
check: setup ## What must hold before every commit: format, types, arrows, contracts, README
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m ekiben_contracts check
	$(BIN)/python scripts/check_readme.py

.PHONY: fix
fix: setup ## Format, and mend what ruff can mend
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

.PHONY: bench
bench: setup ## Ekiben beside bare skeletons and what else there is; ratios, and one JSON line
	@$(BIN)/python -m benchmarks $(BENCH)

.PHONY: bench-bus
bench-bus: setup ## The bus beside bare aiokafka; the last line is one JSON object with bus_to_bare
	$(BIN)/python benchmarks/bus.py $(BENCH)

.PHONY: bench-columns
bench-columns: setup ## The columnar body beside JSON, against one real Bento
	$(BIN)/python benchmarks/columnar.py $(BENCH)

.PHONY: bench-http
bench-http: setup ## The gateway over HTTP beside the model's own endpoint, by wrk; ratios, and one JSON line
	@$(BIN)/python -m benchmarks.over_http $(BENCH)

.PHONY: lock
lock: setup ## Write requirements.lock and locks/ anew: pins stay while they fit, UPGRADE=1 resolves afresh
	$(BIN)/python -m scripts.supply lock $(if $(UPGRADE),--upgrade)

.PHONY: sbom
sbom: setup ## What each service is made of: CycloneDX, dist/sbom/*.cdx.json
	@$(BIN)/python -m scripts.supply sbom

.PHONY: audit
audit: setup ## Known vulnerabilities of all locked Python packages: AUDIT=--strict fails where no source answers
	@$(BIN)/python -m scripts.supply audit $(AUDIT)

.PHONY: images
images: setup ## The images of the services: IMAGES="synthesizer --tag 1.2 --python python:3.11-slim@sha256:…"
	@$(BIN)/python -m deploy.docker.services.build $(IMAGES)

.PHONY: clean
clean: ## Remove what was set up and written here: .venv, .ekiben, dist, caches
	rm -rf .venv .ekiben dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis uv.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
