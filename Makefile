# The tasks of this repository; `make help` lists them.
# Missing tools are installed into .venv/, in the versions that the files of tools/ pin.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# One pip and one cargo at a time: they lock each other's files.
.NOTPARALLEL:
.PHONY: run test test-deploy test-differential test-faults test-fuzz test-clients test-sql wheel test-python \
  image install bench bench-metrics bench-train bench-shapes bench-server soak build build-batch validate \
  deploy build-stack parameters release replay sbom invoke train format setup help

HOST ?= 127.0.0.1
PORT ?= 9000
ARCH ?= x86_64
EVENT ?= events/v2.json
# The profile of the function that `make test` runs in AWS's Runtime Interface Emulator. `release` is the one that ships:
# cargo-lambda optimizes it for Lambda's processors (target-cpu) only with --release.
PROFILE ?= release
# The container engine of `make image`.
ENGINE ?= docker
# The name and region of the stack, its parameters, and whether to show changes and wait for consent.
STACK ?=
REGION ?=
PARAMETERS ?=
CONFIRM ?= yes
# Where the answers are kept, what is deployed (managed-instances.json for Lambda Managed Instances), and where it is
# built. `make test-deploy` has its own.
CONFIG ?= samconfig.toml
TEMPLATE ?= template.yaml
BUILD ?= .aws-sam/build
# `make deploy BUILT=yes` deploys what `make build-stack` built.
BUILT ?=
# `make release`: the model, the reason, and the command line.
MODEL ?=
MESSAGE ?=
ORDINATE ?= ordinate
# The random tables of `make test-differential`.
SEED ?= 1
TABLES ?= 5000
# Where `make test-sql` runs SQL. DuckDB and SQLite need no server.
DATABASES ?= duckdb,sqlite,postgres,spark
# How long `make soak` takes.
MINUTES ?= 15
# How long `make test-fuzz` runs each target.
FUZZ_SECONDS ?= 60
# The environments of `make test-python`, names of files in tools/python; all if empty.
ENVIRONMENTS ?=
# How often `make test-faults` causes each fault.
ROUNDS ?= 5
# The largest binary of the function, in bytes, that `make test` accepts: a larger one starts later. It had 12.84 million
# at the end of November 2026, 0.13 million of them for captured requests, the distributions of the bundled models and
# the default of catalogs with drafts.
SIZE_BUDGET := 12900000

VENV := .venv
BENCH := .venv-bench
CLIENTS := .venv-clients
SQL := .venv-sql
STACK_TOOLS := .venv-stack
PYTHON := .venv-python
# Stamps: the tool is installed in the version that its file pins.
CARGO_LAMBDA := $(VENV)/.cargo-lambda.stamp
SAM := $(VENV)/.sam.stamp
SEAWEEDFS := $(VENV)/.seaweedfs.stamp
LINT := $(VENV)/.lint.stamp
MATURIN := $(VENV)/.maturin.stamp
DIFFERENTIAL := $(VENV)/.differential.stamp
PAGE := $(VENV)/page/.stamp
WEB := $(VENV)/web/.stamp
CHECKOV := $(STACK_TOOLS)/checkov/.stamp
MINISTACK := $(STACK_TOOLS)/ministack/.stamp
CYCLONEDX := $(STACK_TOOLS)/cyclonedx/bin/cargo-cyclonedx
TEMPLATES := template.yaml rest-api.yaml batch.yaml managed-instances.json
# The template, if it is one that is generated.
GENERATED = $(filter managed-instances.json,$(TEMPLATE))

# The service and the command line, for cargo.
SERVICE := -p ordinate --bin api
CLI := --bin ordinate
# The release build of the command line has a profile of its own; `make test-clients PROFILE=dev` uses a debug build.
CLI_PROFILE := $(if $(filter release,$(PROFILE)),cli,$(PROFILE))

# `cargo lambda` is the one of .venv/, finds its linker (zig) there, and `sam build` finds both.
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/$(STACK_TOOLS)/cyclonedx/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

# The build comes before the server, so that a request during the build is refused at once. Neither of them names a
# package: the service shares the compiled dependencies of all default members.
run: export METRICS ?= none
run: $(CARGO_LAMBDA) ## Serve in cargo-lambda's local emulator, and rebuild when the code changes; see PORT, HOST and MODEL_URI
	@if (exec 3<>/dev/tcp/$(HOST)/$(PORT)) 2>/dev/null; then \
	  free=$$(($(PORT) + 1)); while (exec 3<>/dev/tcp/$(HOST)/$$free) 2>/dev/null; do free=$$((free + 1)); done; \
	  printf '%s\n' 'Port $(PORT) is in use.' "help: make run PORT=$$free" >&2; exit 1; fi
	@test -e target/debug/api || echo 'Building the service; the first build takes about three minutes on two cores.'
	@cargo build --bin api
	@echo 'Starting the service on http://localhost:$(PORT); it is rebuilt when the code changes. Ctrl-C stops it.'
	@tools/ready http://$(HOST):$(PORT) $$$$ & \
	  exec cargo lambda watch --bin api \
	    --invoke-address $(HOST) --invoke-port $(PORT) --disable-cors $(WATCH_FLAGS)

test: $(CARGO_LAMBDA) $(SAM) $(SEAWEEDFS) $(PAGE) $(DIFFERENTIAL) ## Run all tests, those of the function with its release build
	cargo lambda build --locked $(SERVICE) $(if $(filter release,$(PROFILE)),--release,--profile $(PROFILE))
	@size=$$(wc -c < target/lambda/api/bootstrap); test $(PROFILE) != release || test $$size -le $(SIZE_BUDGET) \
	  || { printf '%s\n' "The function has $$size bytes; SIZE_BUDGET allows $(SIZE_BUDGET)." \
	    'help: find the dependency that was added with: cargo tree -p ordinate -e features' >&2; exit 1; }
	ORDINATE_BOOTSTRAP=$(CURDIR)/target/lambda/api/bootstrap cargo test --locked --workspace
	$(VENV)/bin/python tests/differential/run --ordinate target/debug/ordinate --tables 200

test-deploy: $(CARGO_LAMBDA) $(SAM) $(MINISTACK) ## Deploy the templates to an emulator of AWS and call them; PROFILE=dev is faster
	cargo lambda build --locked $(SERVICE) $(if $(filter release,$(PROFILE)),--release,--profile $(PROFILE))
	cargo lambda build --locked -p ordinate-batch --bin batch \
	  $(if $(filter release,$(PROFILE)),--release,--profile $(PROFILE))
	cargo build --locked $(CLI)
	$(VENV)/bin/python tests/stack/deploy target/lambda/api/bootstrap target/debug/ordinate target/lambda/batch/bootstrap

test-differential: $(DIFFERENTIAL) ## Compare TABLES (5000) random models with exact arithmetic
	cargo build --locked $(CLI) --profile $(CLI_PROFILE)
	$(VENV)/bin/python tests/differential/run --seed $(SEED) --tables $(TABLES) \
	  --ordinate target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/ordinate

test-faults: $(SEAWEEDFS) ## Cause each fault ROUNDS (5) times, and write docs/reliability.md
	ORDINATE_FAULT_ROUNDS=$(ROUNDS) cargo test --locked --package ordinate-cli --test faults

test-fuzz: ## Run each fuzz target for FUZZ_SECONDS (60) with mutations of its corpus
	FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --locked --package ordinate-fuzz -- --nocapture

test-clients: $(CLIENTS)/.python.stamp $(CLIENTS)/.npm.stamp ## Test the server with the clients of all protocols
	cargo build --locked $(CLI) --profile $(CLI_PROFILE)
	tests/clients/run target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/ordinate

comma := ,
SERVERS := $(filter-out duckdb sqlite,$(subst $(comma), ,$(DATABASES)))
test-sql: $(SQL)/.sql.stamp $(if $(SERVERS),$(SQL)/.sql-servers.stamp) ## Compare SQL, run in DATABASES, with predictions
	cargo build --locked $(CLI) --profile $(CLI_PROFILE)
	$(SQL)/bin/python tests/sql/run --databases $(DATABASES) \
	  --ordinate target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/ordinate

# `make test-python PROFILE=dev` builds a wheel with debug code for this machine. The linker of the other wheel is zig's,
# so that it runs on any Linux since 2014.
wheel: $(MATURIN) ## Build the wheel of the Python package; as long as `make install`
	@rm -rf target/wheels
	$(VENV)/bin/maturin build --locked --manifest-path crates/python/Cargo.toml --out target/wheels \
	  --profile $(CLI_PROFILE) $(if $(filter dev,$(PROFILE)),--compatibility linux,--compatibility manylinux2014 --zig)
	@wc -c target/wheels/*.whl

test-python: wheel ## Test the wheel in clean environments, with four versions of scikit-learn
	crates/python/tests/run target/wheels/*.whl $(PYTHON) $(ENVIRONMENTS)

image: ## Build the container image `ordinate` with Docker, or with ENGINE=podman
	@$(ENGINE) info >/dev/null 2>&1 || { printf '%s\n' '$(ENGINE) is not installed, or its engine does not run.' \
	  'help: start it, or name another one: make image ENGINE=podman' >&2; exit 1; }
	# Podman builds OCI images by default, which have no HEALTHCHECK.
	BUILDAH_FORMAT=docker $(ENGINE) build --tag ordinate .

install: ## Install a release build of the command line `ordinate`; about ten minutes of processor time
	cargo install --locked --path crates/cli --bin ordinate --profile cli

bench: $(CARGO_LAMBDA) ## Measure cold and warm times of the function as it ships, and the lower bound for both
	cargo lambda build --locked $(SERVICE) --release
	cargo bench --locked --profile dev --package ordinate --bench lambda

# Only the service and the printer of numbers are optimized, so that this takes minutes; times are upper bounds. Lines go
# into a pipe, as on Lambda.
bench-metrics: ## Measure what the metrics of a request cost
	cargo bench --locked --profile dev --config 'profile.dev.package.ordinate.opt-level=3' \
	  --config 'profile.dev.package.zmij.opt-level=3' -p ordinate --bench emf | cat >/dev/null

# ORDINATE_BENCH_MEGABYTES sets the size of the CSV file.
bench-train: $(BENCH)/.stamp ## Compare training times with scikit-learn, one thread each
	cargo bench --locked --package ordinate-cli --bench train

bench-shapes: $(BENCH)/.stamp ## Compare training of shapes that were slow once with scikit-learn, whole processes
	cargo build --locked $(CLI) --profile $(CLI_PROFILE)
	$(BENCH)/bin/python benches/shapes.py target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/ordinate

bench-server: ## Measure `ordinate serve` with stalled and idle clients and during a stop; needs wrk
	@command -v wrk >/dev/null || { echo 'wrk is not installed. On Debian: apt-get install -y wrk' >&2; exit 1; }
	cargo build --locked $(CLI) --profile $(CLI_PROFILE)
	python3 benches/server.py target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/ordinate

soak: ## Mix valid, hostile and slow requests with releases for MINUTES (15), on the server and on the function
	cargo build --locked --bin api $(CLI) --profile $(CLI_PROFILE)
	python3 benches/soak.py target/$(if $(filter dev,$(PROFILE)),debug,$(CLI_PROFILE))/{ordinate,api} $(MINUTES)

$(BENCH)/.stamp: tools/bench.txt
	$(call installing,$(BENCH))
	@python3 -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(CLIENTS)/.python.stamp: tools/clients.txt
	$(call installing,$(CLIENTS))
	@python3 -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(SQL)/.%.stamp: tools/%.txt
	$(call installing,$(SQL))
	@test -e $(SQL) || python3 -m venv $(SQL)
	@$(SQL)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(CYCLONEDX): tools/cargo-cyclonedx.txt
	$(call installing,$(STACK_TOOLS)/cyclonedx)
	@cargo install --quiet --locked --root $(STACK_TOOLS)/cyclonedx $$(sed -n 's/==/@/p' $<)
	@touch $@

$(CHECKOV) $(MINISTACK): $(STACK_TOOLS)/%/.stamp: tools/%.txt
	$(call installing,$(@D))
	@python3 -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(CLIENTS)/.npm.stamp: tools/package.json tools/package-lock.json
	@echo 'Installing into $(CLIENTS)/: the packages of $<'
	@mkdir -p $(CLIENTS)
	@cp $^ $(CLIENTS)/
	@npm ci --prefix $(CLIENTS) --silent --no-audit --no-fund
	@touch $@

build: $(CARGO_LAMBDA) ## Build the zip for Lambda; ARCH=x86_64 or arm64
	cargo lambda build --locked $(SERVICE) --release --output-format zip $(call for-arch,$(ARCH))
	@printf '%s: %s bytes, %s\n' target/lambda/api/bootstrap.zip "$$(wc -c < target/lambda/api/bootstrap.zip)" $(ARCH)

build-batch: $(CARGO_LAMBDA) $(SAM) ## Build the batch function for `sam deploy --template batch.yaml`; see ARCH
	cargo lambda build --locked -p ordinate-batch --bin batch --release $(call for-arch,$(ARCH))

validate: $(SAM) $(CHECKOV) managed-instances.json ## Check the templates, offline: syntax, settings, permissions, alarms
	@for template in $(TEMPLATES); do sam validate --lint --template $$template; done
	@cfn-lint $(TEMPLATES)
	@$(STACK_TOOLS)/checkov/bin/checkov --quiet --compact --skip-download --framework cloudformation \
	  $(addprefix --file ,$(TEMPLATES))
	@$(VENV)/bin/python tests/stack/test_templates.py
	@$(VENV)/bin/python tests/stack/test_batch_template.py
	@$(VENV)/bin/python tests/stack/test_policies.py
	@$(VENV)/bin/python tests/stack/test_deploy_tool.py
	@$(VENV)/bin/python tests/stack/test_workflows.py

# The answers of a deployment are kept in samconfig.toml once it has succeeded; STACK, REGION and
# PARAMETERS='Name=value …' change them.
# These variables reach the program by the environment, so that none of their characters has a meaning to the shell.
export STACK REGION PARAMETERS CONFIRM MODEL MESSAGE ORDINATE
deploy: $(if $(BUILT),,$(CARGO_LAMBDA)) $(SAM) $(GENERATED) ## Build and deploy to AWS; see PARAMETERS
	@$(deploy-step) prepare
ifeq ($(BUILT),)
	$(call sam-build,$$($(deploy-step) architecture))
endif
	@$(deploy-step) run

build-stack: $(CARGO_LAMBDA) $(SAM) $(GENERATED) ## Build for `make deploy BUILT=yes`, without credentials; see ARCH
	$(call sam-build,$(ARCH))

# Always: it takes less than a second.
.PHONY: managed-instances.json
managed-instances.json: $(SAM)
	@$(VENV)/bin/python tools/managed-instances template.yaml $@

parameters: $(SAM) ## List the parameters of the stack with their values
	@$(deploy-step) parameters

release: $(SAM) ## Publish MODEL=file to the catalog of the stack, and make it the live one; MESSAGE='why'
	@$(deploy-step) release

replay: $(SAM) ## Send the events of the queue of dead letters to the function again
	@$(deploy-step) replay

sbom: $(CYCLONEDX) ## Write target/ordinate.cdx.json, the CycloneDX list of the crates of the function
	@python3 tools/sbom target/ordinate.cdx.json

invoke: $(CARGO_LAMBDA) ## Send EVENT=events/….json to the running `make run` and print the response of the function
	@test -f '$(EVENT)' || { printf '%s\n' '$(EVENT) does not exist. The events are:' \
	  $(filter-out %.postman_collection.json,$(wildcard events/*.json)) >&2; exit 1; }
	@cargo lambda invoke --invoke-address $(HOST) --invoke-port $(PORT) --data-file '$(EVENT)' \
	  || { echo 'No answer from $(HOST):$(PORT). Is `make run` up?' >&2; exit 1; }

# A debug build of the solvers is 40 times slower.
train: ## Train the bundled models again from the data in model/; the first build takes about ten minutes of processor time
	cargo build --locked $(CLI) --profile cli
	target/cli/ordinate train model/line.csv --target y --test-fraction 0 --out model/line.json
	target/cli/ordinate train model/diabetes.csv --target progression --out model/diabetes.json
	target/cli/ordinate train model/iris.csv --target species --out model/iris.json
	target/cli/ordinate train model/breast-cancer.csv --target diagnosis --out model/breast-cancer.json

format: $(WEB) ## Format the code: Rust with cargo fmt, JavaScript, CSS and HTML with Biome, which also lints them
	cargo fmt --all
	$(VENV)/web/node_modules/.bin/biome check --write --error-on-warnings

setup: $(CARGO_LAMBDA) $(SAM) $(SEAWEEDFS) $(LINT) $(PAGE) $(WEB) $(DIFFERENTIAL) $(CHECKOV) ## Install the tools of CI

help: ## List these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do \
	  printf 'make %-17s %s\n' "$$target" "$$text"; done

for-arch = $(or $(if $(filter x86_64,$(1)),--x86-64),$(if $(filter arm64,$(1)),--arm64),\
  $(error ARCH must be x86_64 or arm64, got "$(1)"))
sam-build = sam build --template $(TEMPLATE) --build-dir $(BUILD) --parameter-overrides Architecture=$(1)
deploy-step = $(VENV)/bin/python tools/deploy --config $(CONFIG) --template $(TEMPLATE) --build $(BUILD)

# Prints the packages that a rule is going to install, from the file that pins them.
installing = @printf 'Installing into $(1)/: %s\n' "$$(sed '/^\#/d' $< | paste -sd' ')"

$(VENV)/bin/python:
	@echo 'Creating $(VENV)/'
	@python3 -m venv $(VENV)

# Packages of JavaScript: `page` drives the page in Chromium (without a browser), `web` formats and lints it.
$(PAGE) $(WEB): $(VENV)/%/.stamp: tools/%/package.json tools/%/package-lock.json | $(VENV)/bin/python
	@echo 'Installing into $(@D)/: the packages of $<'
	@mkdir -p $(@D)
	@cp $^ $(@D)/
	@cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@

$(VENV)/.%.stamp: tools/%.txt | $(VENV)/bin/python
	$(call installing,$(VENV))
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
