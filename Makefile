# Everything a developer or CI does, by one word each; `make help` lists the words.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-browser check bench trial install-tools

LISTEN ?= 127.0.0.1:8080
WORDS ?=
TEST_OUTPUT := target/test-output.txt
# Where scripts/install.sh puts the tools that come from elsewhere than the distribution.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

demo: ## build, and serve a fresh data folder filled with the bundled sample (LISTEN=127.0.0.1:8080)
	scripts/install.sh build
	cargo build --release --locked
	rm -rf data/demo
	target/release/tributary demo --listen $(LISTEN) --data-dir data/demo

test: ## everything CI runs: tools, checks, the suite on SQLite and PostgreSQL, the browser tests
	$(MAKE) install-tools
	$(MAKE) check
	$(MAKE) test-rust
	$(MAKE) test-browser
	@sqlite=$$(grep -c '::sqlite \.\.\. ok$$' $(TEST_OUTPUT) || true); \
	postgres=$$(grep -c '::postgres \.\.\. ok$$' $(TEST_OUTPUT) || true); \
	echo "Suite tests that ran: $$sqlite on sqlite, $$postgres on postgres."; \
	if [[ $$sqlite -eq 0 || $$postgres -eq 0 ]]; then \
		echo "A store without a single test is a failure." >&2; exit 1; \
	fi

test-rust: ## the Rust tests, beside a private PostgreSQL
	@mkdir -p $(dir $(TEST_OUTPUT))
	scripts/with-postgres.sh cargo test --locked --features pdf 2>&1 | tee $(TEST_OUTPUT)

test-browser: ## the browser tests, against a debug build
	cargo build --locked --features pdf
	npm ci --prefix tests/browser --no-audit --no-fund
	TRIBUTARY_BIN=$(CURDIR)/target/debug/tributary \
	CHROMIUM=$$(command -v chromium || command -v chromium-browser || command -v google-chrome) \
	npm test --prefix tests/browser

check: ## formatting, clippy, documentation, licences
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo fmt --check --manifest-path benches/load/Cargo.toml
	cargo clippy --locked --all-targets --manifest-path benches/load/Cargo.toml --target-dir target/bench-load -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --lib
	cargo deny --locked check licenses bans sources

bench: ## ratios against nginx and rates, as one table; QUICK=1 for a first impression, WORDS="redirect cpu" for some
	scripts/install.sh bench
	cargo build --release --locked
	benches/run.sh $(WORDS)

trial: ## several nodes under load, one of each killed in the middle; the counts must agree (RATE=500 FOR_SECONDS=20)
	scripts/trial.sh

install-tools: ## what the tests need and this machine lacks
	scripts/install.sh test
