# Everything there is to do here, by name; `make help` lists it.
# Tools that are missing are installed into .venv/, in the versions of tools/, and nowhere else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# One pip and one cargo at a time: they lock each other out anyway.
.NOTPARALLEL:
.PHONY: run test test-clients test-differential bench bench-train build validate deploy invoke train setup help

HOST ?= 127.0.0.1
PORT ?= 9000
ARCH ?= x86_64
EVENT ?= events/v2.json
# The profile of the function that `make test` runs in the emulator. `release` is what ships: cargo-lambda tunes it for
# Lambda's processors (target-cpu) only when asked with --release.
PROFILE ?= release
# What `make test-differential` draws.
SEED ?= 1
TABLES ?= 5000
# Bytes of the shipped binary that `make test` accepts; what is larger starts later. 11.06 million when this was written: beside
# the first 9.3 there are the protocols of other servers, the OpenAPI document (utoipa), its reader (218 kB) and the page (57 kB).
SIZE_BUDGET := 11600000

VENV := .venv
BENCH := .venv-bench
CLIENTS := .venv-clients
# Stamps: the tool is there, in the version that its file names.
CARGO_LAMBDA := $(VENV)/.cargo-lambda.stamp
SAM := $(VENV)/.sam.stamp
SEAWEEDFS := $(VENV)/.seaweedfs.stamp
LINT := $(VENV)/.lint.stamp
DIFFERENTIAL := $(VENV)/.differential.stamp
PAGE := $(VENV)/page/.stamp

# So that `cargo lambda` is ours, and finds its linker (zig), and `sam build` finds both.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

run: $(CARGO_LAMBDA) ## Serve on this machine, rebuilt as the code changes; PORT, HOST, MODEL_URI and the rest of the environment count
	@if (exec 3<>/dev/tcp/$(HOST)/$(PORT)) 2>/dev/null; then echo 'Port $(PORT) is taken. Try: make run PORT=9001' >&2; exit 1; fi
	@printf '%s\n' \
	  'Ordinate on http://localhost:$(PORT), in a minute or more when it has to be built first. Try:' '' \
	  "  curl -s localhost:$(PORT)/predict -d '{\"X\":[1,2,3,4]}'" ''
	@exec cargo lambda watch --bin api --invoke-address $(HOST) --invoke-port $(PORT) --disable-cors $(WATCH_FLAGS)

test: $(CARGO_LAMBDA) $(SAM) $(SEAWEEDFS) $(PAGE) $(DIFFERENTIAL) ## Everything that must hold: builds the function as it ships, then runs every test against it
	cargo lambda build --locked --bin api $(if $(filter release,$(PROFILE)),--release,--profile $(PROFILE))
	@size=$$(wc -c < target/lambda/api/bootstrap); test $(PROFILE) != release || test $$size -le $(SIZE_BUDGET) \
	  || { echo "The function has $$size bytes, more than the $(SIZE_BUDGET) of SIZE_BUDGET: see what came in with cargo tree -e features" >&2; exit 1; }
	ORDINATE_BOOTSTRAP=$(CURDIR)/target/lambda/api/bootstrap cargo test --locked --features train
	$(VENV)/bin/python tests/differential/run --ordinate target/debug/ordinate --tables 200

test-differential: $(DIFFERENTIAL) ## Train and serve TABLES (5000) random tables from SEED, and compare every number with exact arithmetic
	cargo build --locked --features train --bin ordinate --profile $(PROFILE)
	$(VENV)/bin/python tests/differential/run --ordinate target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/ordinate --seed $(SEED) --tables $(TABLES)

test-clients: $(CLIENTS)/.python.stamp $(CLIENTS)/.npm.stamp ## Drive a real server with real clients: curl, Python, JavaScript, tritonclient, KServe, MLflow, boto3, Postman, Schemathesis
	cargo build --locked --features train --bin ordinate --profile $(PROFILE)
	tests/clients/run target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/ordinate

bench: $(CARGO_LAMBDA) ## Cold and warm times of the function as it ships, beside the least there can be
	cargo lambda build --locked --bin api --release
	cargo bench --locked --profile dev --bench lambda

bench-train: $(BENCH)/.stamp ## Training times beside scikit-learn's, one thread each; ORDINATE_BENCH_MEGABYTES sets the CSV file's size
	cargo bench --locked --features train --bench train

$(BENCH)/.stamp: tools/bench.txt
	python3 -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(CLIENTS)/.python.stamp: tools/clients.txt
	python3 -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(CLIENTS)/.npm.stamp: tools/package.json tools/package-lock.json
	@mkdir -p $(CLIENTS)
	cp $^ $(CLIENTS)/
	npm ci --prefix $(CLIENTS) --silent --no-audit --no-fund
	@touch $@

build: $(CARGO_LAMBDA) ## Build the zip for Lambda; ARCH=x86_64 or arm64
	cargo lambda build --locked --bin api --release --output-format zip $(call for-arch,$(ARCH))
	@printf '%s: %s bytes, %s\n' target/lambda/api/bootstrap.zip "$$(wc -c < target/lambda/api/bootstrap.zip)" $(ARCH)

validate: $(SAM) ## Check template.yaml, offline
	sam validate --lint

deploy: $(CARGO_LAMBDA) $(SAM) ## Build and deploy to AWS with sam; asks for what it needs the first time, ARCH=arm64 for Graviton
	sam build --parameter-overrides Architecture=$(deployed-arch)
	sam deploy $(if $(deployed),,--guided --parameter-overrides Architecture=$(deployed-arch))

invoke: $(CARGO_LAMBDA) ## Send EVENT=events/….json to the running `make run` and print the function's answer
	@test -f '$(EVENT)' || { printf '%s\n' 'There is no $(EVENT). There are:' $(filter-out %.postman_collection.json,$(wildcard events/*.json)) >&2; exit 1; }
	@cargo lambda invoke --invoke-address $(HOST) --invoke-port $(PORT) --data-file '$(EVENT)' \
	  || { echo 'No answer from $(HOST):$(PORT). Is `make run` up?' >&2; exit 1; }

train: ## Make the bundled models anew from the data in model/
	cargo run -q --features train -- train model/line.csv --target y --test-fraction 0 --out model/line.json
	cargo run -q --features train -- train model/diabetes.csv --target progression --out model/diabetes.json
	cargo run -q --features train -- train model/iris.csv --target species --out model/iris.json
	cargo run -q --features train -- train model/breast-cancer.csv --target diagnosis --out model/breast-cancer.json

setup: $(CARGO_LAMBDA) $(SAM) $(SEAWEEDFS) $(LINT) $(PAGE) $(DIFFERENTIAL) ## Install all tools into .venv/, without running anything

help: ## List these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf 'make %-17s %s\n' "$$target" "$$text"; done

for-arch = $(or $(if $(filter x86_64,$(1)),--x86-64),$(if $(filter arm64,$(1)),--arm64),$(error ARCH is "$(1)": say x86_64 or arm64))
# The guided deployment writes its answers to samconfig.toml: from then on they count, ARCH no more.
deployed = $(shell grep -s '^stack_name' samconfig.toml)
deployed-arch = $(or $(shell sed -nE 's/.*Architecture=[\\"]*(x86_64|arm64).*/\1/p' samconfig.toml 2>/dev/null),$(ARCH))

$(VENV)/bin/python:
	python3 -m venv $(VENV)

# What opens the page in Chromium: two packages of JavaScript, neither of which brings a browser.
$(PAGE): tools/page/package.json tools/page/package-lock.json | $(VENV)/bin/python
	mkdir -p $(@D)
	cp $^ $(@D)/
	cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@

$(VENV)/.%.stamp: tools/%.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
