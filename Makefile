# `make` lists the targets. PROFILE=release builds optimised programs.

PROFILE ?= dev
DIR ?= .kinora
LAB ?= full
HOST ?= control
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
PROGRAMS := $(abspath $(TARGET_DIR)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE)))
TOOLS := $(shell packaging/bootstrap tools)
# Tools apt does not have come last, so that the machine's own are preferred; an old Node.js is not.
export PATH := $(TOOLS)/node/node_modules/.bin:$(PATH):$(TOOLS)/bin
export npm_config_update_notifier := false
export npm_config_fund := false
export npm_config_audit := false

WEB := services/web
ANSIBLE_LINT = $(wildcard $(TOOLS)/ansible-lint-*/bin)
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f 2>/dev/null) \
	$(wildcard $(WEB)/index.html $(WEB)/*.ts $(WEB)/package.json)
# Runs a command beside a whole Kinora of its own in a throw-away directory.
BESIDE_KINORA = $(PROGRAMS)/kinora-devstack with --bin-dir $(PROGRAMS) --web-root $(WEB)/dist --mail-relay tests/smtp/server.py --
# One more than there are processors: a test waits for services a part of its time.
TEST_THREADS ?= $(shell expr $$(nproc) + 1)
PACKAGES := -p kinora-application -p kinora-saml-verifier -p kinora-backend -p kinora-worker -p kinoractl -p kinora-devstack

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check fmt clippy edges deny machete playbook-check web web-check web-test browser-test api-test \
	migration-check rust-test programs packages bundle bundle-test bench measured-check lab lab-test lab-chaos lab-down lab-clean lab-self-test measure-test lab-shell fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run all of Kinora on this machine; Ctrl-C stops it (data: .kinora)
	@packaging/bootstrap run
	@test -x $(PROGRAMS)/kinora-application || echo "building Kinora; the first time this takes some minutes"
	@$(MAKE) --no-print-directory -j2 web programs
	@exec $(PROGRAMS)/kinora-devstack run --dir $(DIR) --bin-dir $(PROGRAMS) --web-root $(WEB)/dist

# Makes a part of the tests and says how long it took.
timed = @began=$$(date +%s); $(MAKE) --no-print-directory $(1) || exit 1; echo "test: $(filter %-test,$(1)) took $$(($$(date +%s) - began)) s"

test: ## every test, against real services and in a real browser
	@packaging/bootstrap test
	@echo "test: the short ones run while programs are built"
	$(call timed,-j5 web programs bundle-test measure-test web-test)
	$(call timed,rust-test)
	@echo "test: browser-test and api-test run beside each other; what they say comes when they have ended"
	$(call timed,-j2 --output-sync browser-test api-test)

check: ## fmt, clippy, crate edges, dependencies, migrations, playbooks, web lint and types
	@packaging/bootstrap check
	@$(MAKE) --no-print-directory fmt edges machete deny migration-check playbook-check measured-check web-check clippy

programs: ## build Kinora's programs
	cargo build --locked --profile $(PROFILE) --bins $(PACKAGES)

web: $(WEB)/dist/index.html ## build the web client

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-progress
	@touch $@

$(WEB)/dist/index.html: $(WEB_SOURCES) $(WEB)/node_modules/.package-lock.json
	cd $(WEB) && npm run --silent build

fmt: ## Rust formatting
	cargo fmt --all --check

clippy: ## Rust lints; warnings are errors
	cargo clippy --locked --workspace --all-targets -- -D warnings

edges: ## no crate reaches what it must never reach
	@.ci/edges

deny: ## licences, sources and known vulnerabilities of dependencies
	@.ci/deny

machete: ## unused dependencies
	@cargo machete

migration-check: ## migrations that people can work through
	@.ci/migrations $(TOOLS)/squawk-*/bin/squawk

playbook-check: ## playbooks: lint, plugins' tests, firewall rules of the example inventories, alert rules
	cd ansible/tests && $(ANSIBLE_LINT)/python -B -m unittest discover --quiet
	$(ANSIBLE_LINT)/python -B ansible/tests/check_firewall
	ansible/tests/check_rules
	$(ANSIBLE_LINT)/python -B ansible/tests/roles_page.py --check
	cd ansible && PATH=$(ANSIBLE_LINT):$$PATH ansible-lint --offline --nocolor -q

measured-check: ## docs/operations/measured.md says what was measured
	@tests/lab/lab_test.py --page-only --check

web-check: $(WEB)/node_modules/.package-lock.json ## web lint and types
	cd $(WEB) && npm run --silent lint && npm run --silent check

rust-test: programs ## unit and integration tests
	KINORA_PROGRAMS=$(PROGRAMS) RUST_TEST_THREADS=$(TEST_THREADS) cargo test --locked --workspace --profile $(PROFILE) --no-fail-fast

web-test: $(WEB)/node_modules/.package-lock.json ## the web client's own tests
	cd $(WEB) && npm run --silent test

browser-test: web programs ## the outcome in a real browser, against a real Kinora
	$(PROGRAMS)/kinora-application openapi > $(WEB)/node_modules/.openapi.json
	cd $(WEB) && npm run --silent generate:api -- --check node_modules/.openapi.json && npm run --silent check:size
	KINORA_PROGRAMS=$(PROGRAMS) $(BESIDE_KINORA) npm --prefix $(WEB) run --silent test:browser

api-test: web programs ## the API against its description
	$(BESIDE_KINORA) tests/schemathesis/run $(TOOLS)/schemathesis-*/bin/schemathesis

packages: ## a Debian package of each role, below target/packages
	@packaging/bootstrap bundle
	@$(MAKE) --no-print-directory PROFILE=release web programs
	@mkdir -p $(TARGET_DIR)/packages && rm -f $(TARGET_DIR)/packages/*.deb
	@version=$$(packaging/version) || exit 1; \
	for package in kinora-application kinora-backend kinora-worker kinoractl; do \
		echo "packages: $$package $$version"; \
		cargo deb --quiet --locked --no-build --fast -p $$package --deb-version "$$version-1" --output $(TARGET_DIR)/packages/ || exit 1; done
	@ls -sh $(TARGET_DIR)/packages/*.deb

bundle: packages ## one signed file to install from where there is no internet (KEY=private SSH key)
	packaging/bundle/build.py --packages $(TARGET_DIR)/packages --output $(TARGET_DIR)/bundle $(if $(KEY),--key $(KEY))

bundle-test: ## packaging's own tests: a bundle that was changed in any way is refused, what is missing is installed
	/usr/bin/python3 -B -m unittest discover --start-directory packaging --pattern 'test_bootstrap.py'
	/usr/bin/python3 -m unittest discover --start-directory packaging/bundle --pattern 'test_*.py'

fuzz: ## change good sign-ins in DOCUMENTS=1000000 ways; none may be accepted as somebody else (SEED=number)
	@packaging/bootstrap test
	cargo bench --locked -p kinora-saml-verifier --bench fuzz -- $(or $(DOCUMENTS),1000000) $(SEED)

bench: ## measure; prints a table of ratios (ONLY="upload list" for some)
	@packaging/bootstrap bench
	@$(MAKE) --no-print-directory PROFILE=release web programs
	tests/bench/run $(abspath $(TARGET_DIR)/release) $(ONLY)

lab: ## boot a fleet of Debian 13 hosts here (LAB=full, compact or single; BARE=1 installs nothing)
	@packaging/bootstrap lab
	@exec setpriv --pdeathsig TERM tests/lab/lab.py up --layout $(LAB) $(if $(BARE),,--install) $(if $(BUNDLE),--bundle $(BUNDLE))

lab-test: ## install and measure a fleet (LAB=full, compact, single or all; ONLY=install,reboot; RUNS=3; KEEP=1 leaves it up)
	@packaging/bootstrap lab
	@exec setpriv --pdeathsig TERM tests/lab/lab_test.py --layout $(LAB) $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLED),--sampled) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(BUNDLE),--bundle $(BUNDLE)) $(if $(KEEP),--keep) $(if $(FIGURES),--figures $(FIGURES))

lab-chaos: ## break a lab that is up at random for MINUTES=60, and check that nothing is lost (LAB=full; SEED=number draws the same again)
	@packaging/bootstrap lab-chaos
	@exec setpriv --pdeathsig TERM tests/lab/lab_test.py --name $(or $(KINORA_LAB_NAME),lab) --layout $(LAB) --only chaos \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(FIGURES),--figures $(FIGURES))

lab-down: ## end the lab; nothing of it stays
	@tests/lab/lab.py down

lab-clean: ## end every lab and repair what a killed one left (CACHE=1: forget built roots too)
	@tests/lab/lab.py clean $(if $(CACHE),--cache)

lab-self-test: ## the lab's own tests: inventories, and that nothing is left of a killed lab
	@packaging/bootstrap lab
	PYTHONPATH=tests/lab /usr/bin/python3 -B -m unittest discover --start-directory tests/lab/tests --pattern 'test_*.py'

measure-test: ## the parts of the lab that need no fleet
	@PYTHONPATH=tests/lab /usr/bin/python3 -B -m unittest $(filter-out %/test_ending.py,$(wildcard tests/lab/tests/test_*.py))

lab-shell: ## a root shell on a host of the lab (HOST=app1)
	@tests/lab/lab.py ssh $(HOST)
