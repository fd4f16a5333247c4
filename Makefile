# `make` lists the targets. The scripts in scripts/ and cargo do the work.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup installs cargo here. A shell that was started before the installation does not know it.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# Always the same folder, whatever cargo's own configuration says.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
# The scripts read these from the environment, so that every character stays intact.
export PCAP ROWS

PREFIX ?= /usr/local
PLUGIN = $(CARGO_TARGET_DIR)/release/libsuricata_ikev2.so
KEYS = $(CARGO_TARGET_DIR)/release/ikev2-keys
PLUGIN_DIR = $(PREFIX)/lib/suricata
BIN_DIR = $(PREFIX)/bin
DATA_DIR = $(PREFIX)/share/suricata-ikev2
SOURCES = Cargo.toml Cargo.lock build.rs $(shell find src -type f)

# The time that `make fuzz` runs each target. bash itself has a variable of that name.
SECONDS ?= 30

.PHONY: help demo test fuzz memcheck bench build suricata install captures live clean

help: ## list the targets
	@echo 'usage: make TARGET'
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | \
	    while IFS=$$'\t' read -r name text; do printf '  %-10s%s\n' "$$name" "$$text"; done
	@echo 'Targets install missing Debian packages, which needs root or sudo. Install Rust from'
	@echo 'https://rustup.rs. Suricata is taken from $$SURICATA, from PATH or from Debian.'

demo: ## show what Suricata sees in a capture (PCAP=file for yours)
	@scripts/demo.sh "$$PCAP"

test: ## run every check and test, also in a real Suricata
	@scripts/test.sh

fuzz: ## run the fuzz targets (TARGET=name for one, SECONDS=30 for each)
	@scripts/fuzz.sh --seconds '$(SECONDS)' $(TARGET)

memcheck: ## run Suricata with the plugin under valgrind; needs root
	@scripts/memcheck.sh

# HANDSHAKES, ESP_MB, RULES and REPETITIONS change the size. UPDATE_DOCS=1 updates the document.
bench: ## measure what the plugin costs in Suricata; takes an hour and 3 GB of disk
	@scripts/bench.sh

build: ## build the plugin and ikev2-keys in release mode, and print their paths
	@scripts/build.sh --all

suricata: ## download a Suricata 8.0.x if none is installed, and print its path
	@scripts/suricata.sh

# Root often has no cargo, so this installs what was built before.
install: $(PLUGIN) $(KEYS) ## install everything below PREFIX=/usr/local (DESTDIR=)
	install -d '$(DESTDIR)$(PLUGIN_DIR)' '$(DESTDIR)$(BIN_DIR)' '$(DESTDIR)$(DATA_DIR)/rules'
	install -m 644 '$(PLUGIN)' '$(DESTDIR)$(PLUGIN_DIR)/ikev2.so'
	install -m 755 '$(KEYS)' '$(DESTDIR)$(BIN_DIR)'
	install -m 644 rules/*.rules '$(DESTDIR)$(DATA_DIR)/rules'
	install -m 644 suricata-config/ikev2.yaml '$(DESTDIR)$(DATA_DIR)'
	@printf 'Add to suricata.yaml:\nplugins:\n  - %s/ikev2.so\n' '$(PLUGIN_DIR)'

$(PLUGIN): $(filter-out src/bin/%,$(SOURCES))
	@scripts/build.sh

$(KEYS): $(SOURCES)
	@scripts/build.sh --all

captures: ## record the test captures again with real IKEv2 peers; needs root
	tests/capture/make-captures.sh

live: ## run real IKEv2 peers through a Suricata with the plugin; needs root
	@tests/live/run.sh

clean: ## remove what was built, but not the downloaded Suricata
	cargo clean
