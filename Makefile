# `make` lists what can be made. The work is in scripts/ and in cargo.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where rustup puts cargo; a shell from before its installation lacks it.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# One place, whatever cargo's own configuration says.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
# The scripts read these from the environment, which keeps any character intact.
export PCAP ROWS

PREFIX ?= /usr/local
PLUGIN = $(CARGO_TARGET_DIR)/release/libsuricata_ikev2.so
KEYS = $(CARGO_TARGET_DIR)/release/ikev2-keys
PLUGIN_DIR = $(PREFIX)/lib/suricata
BIN_DIR = $(PREFIX)/bin
DATA_DIR = $(PREFIX)/share/suricata-ikev2
SOURCES = Cargo.toml Cargo.lock build.rs $(shell find src -type f)

# How long `make fuzz` runs each target; bash has a variable of that name itself.
SECONDS ?= 30

.PHONY: help demo test fuzz memcheck bench build suricata install captures live clean

help: ## list the targets
	@echo 'usage: make TARGET'
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | \
	    while IFS=$$'\t' read -r name text; do printf '  %-10s%s\n' "$$name" "$$text"; done
	@echo 'Missing Debian packages are installed, which takes root or sudo. Rust comes from'
	@echo 'https://rustup.rs. Suricata comes from $$SURICATA, from PATH or from Debian.'

demo: ## show what Suricata sees in a capture (PCAP=file for yours)
	@scripts/demo.sh "$$PCAP"

test: ## format, lints, unit tests, ABI test, all cases in a real Suricata
	@scripts/test.sh

fuzz: ## run the fuzz targets (TARGET=name for one, SECONDS=30 for each)
	@scripts/fuzz.sh --seconds '$(SECONDS)' $(TARGET)

memcheck: ## run Suricata with the plugin under valgrind; needs root
	@scripts/memcheck.sh

# HANDSHAKES, ESP_MB, RULES, REPETITIONS make it smaller; UPDATE_DOCS=1 writes the docs.
bench: ## what the plugin costs in Suricata; minutes, and 3 GB of disk
	@scripts/bench.sh

build: ## build the plugin and ikev2-keys in release mode, print their paths
	@scripts/build.sh --all

suricata: ## fetch a Suricata 8.0.x if none is installed, print its path
	@scripts/suricata.sh

# Root often has no cargo: what is built already is taken as it is.
install: $(PLUGIN) $(KEYS) ## install all of it below PREFIX=/usr/local (DESTDIR=)
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

captures: ## make the test captures anew with real IKEv2 peers; needs root
	tests/capture/make-captures.sh

live: ## let real IKEv2 peers talk through a Suricata with the plugin; needs root
	@tests/live/run.sh

clean: ## remove what was built, but not the fetched Suricata
	cargo clean
