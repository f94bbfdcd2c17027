# One line a target; the work is in scripts/, so that every step also runs by hand.
.DEFAULT_GOAL := help
EXAMPLE ?= greenhouse
TARGET ?= arm64
SUITE ?= trixie
SCENARIO ?=
DEVICE ?=
BOARD ?=
OUT ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the runtime on the simulated board with a broker (EXAMPLE=greenhouse)
	@scripts/run $(EXAMPLE)

test: ## every test that needs no virtual machine
	@scripts/test

kernel-test: ## the runtime on a real Linux kernel (User Mode Linux): gpio-sim, I2C, faults
	@scripts/kernel-test $(SCENARIO)

embedded: ## the Embedded build for this machine (dist/host/swiftletd)
	@scripts/cross host

cross: ## dist/TARGET/swiftletd (TARGET=arm64|armhf|armv6, SUITE=trixie|bookworm)
	@scripts/cross $(TARGET) $(SUITE)

hil: ## the ARM binaries on an emulated Raspberry Pi 3B
	@scripts/hil $(SCENARIO)

image: ## a card for a Raspberry Pi in dist/images (DEVICE=FILE BOARD=NAME OUT=DIRECTORY)
	@scripts/image $(if $(BOARD),--board $(BOARD)) $(if $(OUT),--out $(OUT)) $(DEVICE)

image-test: ## a card image, started on an emulated Raspberry Pi 3B from its own files
	@scripts/image-test

home-assistant-test: ## Home Assistant's own code and a device (x86-64)
	@scripts/home-assistant-test

bench: ## size, allocations, memory, wake-ups, latency; the MQTT client beside its peers
	@scripts/bench

fuzz: ## coverage-guided fuzzing of decoders and session for 10 minutes
	@scripts/fuzz

lint: ## format, project rules
	@scripts/lint

clean: ## remove what was built here (the cache stays: CONTRIBUTING.md)
	rm -rf .build .build-* dist

.PHONY: help run test kernel-test embedded cross hil image image-test home-assistant-test bench fuzz lint clean
