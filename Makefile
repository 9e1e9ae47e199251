# The commands of this project. Each runs `setup` first, which is quick if nothing is missing.

# `make demo ARGS="--limit 16 /some/files"`; `make bench BENCH=overhead`
ARGS ?=
BENCH ?= *
# `make fuzz-archives CASES=1000000 SEED=7`
CASES ?= 100000
SEED ?= 1
# `make crash-test KILLS=1000 SEED=7`
KILLS ?= 200
# `make test-rocksdb VERSION=11.12.0`; `make test-plugin VERSION=10.4.2`
VERSION ?=

.PHONY: setup rocksdb demo test test-readers test-targets test-rocksdb test-newcomer test-cinstall \
	test-plugin check-bindings crash-test bench fuzz-archives fuzz-smoke fuzz-formats lint docs \
	msrv advisories publish-dry-run

setup:
	@tools/setup

# Builds RocksDB in the user's cache, unless it is there. From then on, cargo links to it.
BUILD_ROCKSDB = rocksdb=$$(tools/rocksdb) && tools/cargo-config "$$rocksdb"
rocksdb: setup
	@$(BUILD_ROCKSDB)

demo:
	@tools/setup --without-peers
	@$(BUILD_ROCKSDB)
	cargo run --example column_families -- $(ARGS)

# Runs all tests; again those of RocksDB and archives, with an accelerator that keeps failing; then
# all thread interleavings; then stack use without optimisation, for the packages that limit it;
# then the builds for other processors.
test: rocksdb
	cargo test --workspace
	tools/test-docs --self-test
	tools/test-docs
	UADK_SIM_SCRIPT='$(FAULTS)' tools/with-sim \
		cargo test -p uadk-compress-rocksdb -p uadk-compress-archive
	UADK_SIM_SCRIPT='$(FAULTS)' tools/with-sim cargo run --example column_families -- --limit 8
	RUSTFLAGS='--cfg loom' cargo test -p uadk-compress --lib --target-dir target/loom interleavings
	cargo test --profile unoptimised $(addprefix -p ,$(SMALL_STACKS)) --test stack
	tools/test-targets

# Runs tests in builds that this machine doesn't make by itself.
test-targets: setup
	tools/test-targets

# Compiles the adapter with the older `rocksdb` 0.24 and with `rust-rocksdb`, without compiling
# RocksDB.
check-bindings: setup
	tools/check-bindings

# Kills a program that writes to RocksDB, with random settings and an accelerator that keeps
# failing, and checks the database each time. The same seed makes the same choices.
crash-test: rocksdb
	UADK_SIM_SCRIPT='$(FAULTS)' tools/with-sim cargo run -p rocksdb-crash -- \
		--seed $(SEED) --self-test
	UADK_SIM_SCRIPT='$(FAULTS)' tools/with-sim cargo run -p rocksdb-crash -- \
		--seed $(SEED) --kills $(KILLS)

# Runs the adapter's tests with another version of RocksDB, and of the crate that brings it. The
# first time, this compiles RocksDB.
test-rocksdb: setup
	tools/test-rocksdb $(or $(VERSION),10.4.2)

# Follows README.md and docs/ in a fresh Debian root. Takes half an hour or more, and needs
# root and debootstrap.
test-newcomer:
	tools/test-newcomer

# Runs more than 50 readers of gzip and tar.gz on our output, and checks the table in
# docs/archives.md. Not part of `test`, since it installs a browser and several languages.
# `make test-readers ARGS=--update` writes the table.
test-readers:
	@tools/setup --with-readers
	cargo build --release -p uadk-compress-cli
	tools/test-readers --self-test
	tools/test-readers $(ARGS)

# Installs the C library with cargo-c, and builds and runs a C program with what it installed. Not
# part of `test`, since cargo-c takes long to compile, and builds everything again.
test-cinstall:
	@tools/setup --with-cargo-c
	tools/test-cinstall

# Builds the RocksDB plugin as C++ programs use it, and tries it. Not part of `test`, since it
# builds a RocksDB. `make test-plugin VERSION=10.4.2`; `ARGS=-fno-rtti` leaves out type information.
test-plugin: setup
	tools/test-plugin $(VERSION) $(ARGS)

# Packages with a test named `stack`.
SMALL_STACKS = block-deflate block-zstd uadk-compress uadk-compress-archive uadk-compress-pages

# A script for the UADK simulator: see tests/uadk-sim/src/lib.rs.
FAULTS = machine=lz77; seed=7; busy=1/20; late=1/15:4; lost=1/3000:100; context=1/900; \
	reset=1/1500; status=1/200:67; return=1/300:-5

# Prints our figures, the peers' and the ratios; fails if a bound is missed. Runs the encoder's
# bench a second time, in a build for newer processors.
bench: rocksdb
	@cargo bench --bench '$(BENCH)' --no-fail-fast; missed=$$?; \
	case '$(BENCH)' in '*' | encoder) \
		tools/with-v3 cargo bench -p block-deflate-bench --target-dir target/v3 || missed=1 ;; \
	esac; exit $$missed

# Checks that we extract mutated archives as libarchive or GNU tar does, or differ in a documented
# way. First checks that the program used instead of bsdtar behaves like it.
fuzz-archives: setup
	tools/fuzz-archives --check-libarchive
	tools/fuzz-archives --cases $(CASES) --seed $(SEED)

# Compresses random blocks to zstd and LZ4 through the simulated device, which lies half of the
# time. Every result must be right. 10 million blocks of each take ten minutes.
fuzz-formats: setup
	BLOCKS=$(or $(BLOCKS),10000000) SEED=$(SEED) \
		cargo test -p uadk-compress --test uadk -- random_blocks_and_random_faults

# A short run of the same, and a build of the other fuzz targets.
fuzz-smoke: setup
	cargo check --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
	$(MAKE) fuzz-archives CASES=5000

# Known vulnerabilities of dependencies. Fetches the database of advisories from GitHub.
advisories: setup
	cargo deny --all-features check advisories

# All crates' documentation, as docs.rs builds it.
docs: rocksdb
	rm -rf target/doc
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features --quiet
	tools/doc-examples

# The oldest Rust that the manifests allow. Needs that toolchain: rustup toolchain install 1.88
msrv: rocksdb
	cargo +1.88 check --workspace --all-features

# Packages every crate and builds it from the package, in dependency order.
publish-dry-run: rocksdb
	cargo publish --workspace --dry-run --allow-dirty

lint: rocksdb
	@cargo fmt --version >/dev/null && cargo clippy --version >/dev/null || \
		{ echo "lint needs rustfmt and clippy: rustup component add rustfmt clippy"; exit 1; }
	tools/import-cycles --self-test
	tools/import-cycles
	tools/prose --self-test
	tools/prose
	tools/architecture --self-test
	tools/architecture
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(MAKE) --no-print-directory docs
	cargo deny --all-features check licenses bans sources
