# The commands people type; the build itself is CMake's (CMakeLists.txt, CMakePresets.json).
PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
export CTEST_PARALLEL_LEVEL ?= $(shell nproc)

.PHONY: help demo build test check fuzz test-long bench install asan tsan clean format
help:
	@echo 'make demo        set up, build, and train an autoencoder on Fashion-MNIST'
	@echo 'make build       build the program: build/strait'
	@echo 'make test        build and run all tests'
	@echo 'make check       look over the source: format, rooms, headers, lint'
	@echo 'make asan, tsan  the tests under sanitizers'
	@echo 'make fuzz        each reader and parser on a few thousand damaged inputs'
	@echo 'make test-long   valgrind, and the fuzzers for a minute each'
	@echo 'make bench       how fast this machine trains, beside PyTorch and Keras where they are installed'
	@echo 'make install     into PREFIX (/usr/local), below DESTDIR'
	@echo 'make format      clang-format over all C files'
	@echo 'make clean       remove what was built'

demo: build
	$(BUILD)/strait train fashion-basic

build: setup-build $(BUILD)/build.ninja
	@cmake --build $(BUILD)

test: setup-build setup-test $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target all tests
	@tools/run-tests $(BUILD)

check: setup-build setup-check
	@tools/check

asan tsan: setup-build setup-test
	@[ -f $(BUILD)-$@/build.ninja ] || cmake --preset $@ >/dev/null
	@cmake --build $(BUILD)-$@ --target all tests
	@tools/run-tests $(BUILD)-$@

fuzz: setup-build setup-fuzz
	@tools/fuzz short

test-long: setup-build setup-test setup-fuzz setup-long $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target all tests
	@tools/test-long $(BUILD)

bench: build setup-test
	bench/compare --strait $(BUILD)/strait

install: setup-build
	@cmake --preset release -DCMAKE_INSTALL_PREFIX='$(PREFIX)' >/dev/null
	@cmake --build $(BUILD)
	DESTDIR='$(DESTDIR)' cmake --install $(BUILD)
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD) $(BUILD)-debug $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz

setup-%:
	@tools/setup $*

$(BUILD)/build.ninja:
	@cmake --preset release >/dev/null
