# The commands of this project. Each begins with `setup`, which is quick when
# nothing is missing.

# `make demo ARGS="--limit 16 /some/files"`; `make bench BENCH=overhead`
ARGS ?=
BENCH ?= *

.PHONY: setup demo test bench lint

setup:
	@tools/setup

demo:
	@tools/setup --without-peers
	cargo run --example column_families -- $(ARGS)

test: setup
	cargo test --workspace

# Prints ours, the peer's and the ratio; fails if a bound is missed.
bench: setup
	cargo bench --bench '$(BENCH)' --no-fail-fast

lint: setup
	@cargo fmt --version >/dev/null && cargo clippy --version >/dev/null || \
		{ echo "lint needs rustfmt and clippy: rustup component add rustfmt clippy"; exit 1; }
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
