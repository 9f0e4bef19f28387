# The doors of the project. `make run` and `make test` install what they need by themselves.
SHELL := /bin/bash
SWIFT := scripts/swift.sh
RELEASE := $(SWIFT) build -c release --static-swift-stdlib -Xswiftc -Osize
BINARY := .build/release/printer-uplink
PYTHON := .build/venv/bin/python
CONFIG ?=

.PHONY: run test check build clean soak bench generate link-order deb release

## The main job: a simulated printer and demo clouds, or, with CONFIG=FILE, your own.
run: build
ifeq ($(CONFIG),)
	@scripts/packages.sh run
	@Tests/Support/venv.sh
	@exec $(PYTHON) Tests/Support/demo.py --binary $(BINARY)
else
	@exec $(BINARY) run --config $(CONFIG)
endif

## The release binary.
build:
	@$(SWIFT) where >/dev/null
	@scripts/packages.sh build
	@$(RELEASE) --product printer-uplink

## The Debian package for this machine's architecture, in .build/packages.
deb: build
	@scripts/packages.sh package
	@scripts/deb.sh $(BINARY)

## All that a release consists of, in .build/packages: archive, package, checksums.
release: build
	@scripts/packages.sh package
	@scripts/release.sh $(BINARY)

## Everything that ends within 12 minutes on two cores.
test:
	@$(SWIFT) where >/dev/null
	@scripts/packages.sh test
	@scripts/test.sh

## Formatting, lint, rules of the house, generated files up to date.
check:
	@scripts/packages.sh test
	@Tests/Support/venv.sh
	@scripts/check.sh

## Writes the generated files anew (annotated configuration, schema, settings tables).
generate:
	@scripts/packages.sh build
	@UPLINK_REGENERATE=1 $(SWIFT) test --disable-xctest --filter GeneratedFiles

## Sanitizers, fuzzing, long runs.
soak: build
	@scripts/packages.sh test
	@Tests/Support/venv.sh
	@scripts/soak.sh

## Finds out anew which functions the release binary should keep side by side.
link-order:
	@scripts/packages.sh link-order
	@Tests/Support/venv.sh
	@UPLINK_KEEP_SYMBOLS=1 $(RELEASE) --scratch-path .build/symbols --product printer-uplink
	@$(PYTHON) Benchmarks/link_order.py --binary .build/symbols/release/printer-uplink

## The figures, side by side, as medians.
bench: build
	@$(RELEASE) --product printer-uplink-scripted
	@scripts/packages.sh test
	@Tests/Support/venv.sh
	@$(PYTHON) Benchmarks/bench.py --binary $(BINARY)
	@$(PYTHON) Benchmarks/farm.py --binary $(BINARY)

clean:
	rm -rf .build
