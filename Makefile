# The short commands. CMakePresets.json has the other builds: cmake --list-presets

.DEFAULT_GOAL := help
.PHONY: help deps build demo deb test hunt bench bench-page overrun docs coverage format format-check tidy sanitize fuzz tsan clean

BUILD := build/release
SOURCES = git ls-files '*.cc' '*.h'

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

deps:  ## install what is missing of packages.txt, by apt-get
	@if ! command -v dpkg-query >/dev/null; then \
	  echo "This is not Debian: install what packages.txt lists by hand." >&2; exit 0; \
	fi; \
	missing=$$(for package in $$(sed 's/#.*//' packages.txt); do \
	  dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then root=env; else root='sudo env'; fi; \
	  echo "Installing" $$missing; \
	  $$root apt-get update -q && \
	  $$root DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	fi

$(BUILD)/build.ninja: | deps
	cmake --preset release

build: deps $(BUILD)/build.ninja  ## the tool build/release/bin/pullback, with training and TorchScript
	cmake --build --preset release --target tool

demo: deps $(BUILD)/build.ninja  ## compare the solvers on the shipped models; writes build/demo/report.html
	cmake --build --preset release --target pullback
	$(BUILD)/bin/pullback compare --pairs 12 --out build/demo

deb: build  ## Debian packages of the libraries and the tool, into build/deb
	cpack --config $(BUILD)/CPackConfig.cmake -B build/deb
	rm -rf build/deb/_CPack_Packages

test: deps $(BUILD)/build.ninja  ## build everything and run all tests
	cmake --build --preset release
	ctest --preset release

# The hunt's own options: make hunt HUNT='--seconds 3600 --seed 7', or '--help'.
HUNT := --seconds 600
hunt: deps $(BUILD)/build.ninja  ## look for false claims on random problems, for ten minutes
	cmake --build --preset release --target pullback_hunt
	$(BUILD)/bin/pullback_hunt $(HUNT)

bench: deps $(BUILD)/build.ninja  ## run the benchmarks
	cmake --build --preset release --target benchmarks
	for program in $(BUILD)/bin/*_bench; do $$program || exit; done

# The page's own options: make bench-page PAGE='--pairs 3', or '--help'.
PAGE :=
bench-page: deps $(BUILD)/build.ninja  ## benchmarks beside peers from PyPI, on one page: build/bench/page.html
	cmake --build --preset release --target auto_bench dimension_bench
	bench/run_page --build $(BUILD) $(PAGE)

overrun: deps $(BUILD)/build.ninja  ## by how much solves take longer than their time limits; takes an hour
	cmake --build --preset release --target overrun
	$(BUILD)/bin/overrun

docs: deps  ## write the reference and the guides to build/docs/index.html, and look for dead links
	rm -rf build/docs
	docs/reference/run build/docs

# The test folders to run, such as PARTS='manifold solvers'; empty: all.
PARTS :=

build/coverage/build.ninja: | deps
	cmake --preset coverage

coverage: deps build/coverage/build.ninja  ## which lines the tests run, by layer; pages in build/coverage/html
	tests/coverage/run build/coverage $(PARTS)

format:  ## lay out every source with clang-format
	$(SOURCES) | xargs clang-format -i

format-check:
	$(SOURCES) | xargs clang-format --dry-run --Werror

# The sources that clang-tidy reads. .ci/run leaves out the tests, on which it spends half an hour; .ci/full does not.
# Never read: sources that include LibTorch's headers, which clang-tidy 14 cannot read, and those of other projects.
TIDY := '*.cc'

# What g++ has precompiled, clang-tidy cannot read.
build/tidy/compile_commands.json: $(BUILD)/build.ninja
	mkdir -p build/tidy
	sed 's/-Winvalid-pch -include [^ ]*//; s/-fpch-preprocess//' $(BUILD)/compile_commands.json > $@

tidy: deps build/tidy/compile_commands.json  ## run clang-tidy on every source; a finding is an error
	git ls-files $(TIDY) ':!tests/consumer' ':!plugins/sample' | \
	  xargs grep -L -e 'torch/' -e 'ATen/' -e 'pullback/training/' | \
	  xargs -P $$(nproc) -n 4 clang-tidy -quiet -p build/tidy

# Seconds for each reader, and how many readers at a time.
SECONDS := 400
JOBS := 2

build/fuzz/build.ninja: | deps
	cmake --preset fuzz

fuzz: deps build/fuzz/build.ninja  ## fuzz every reader for SECONDS (400), JOBS (2) at a time; see tests/fuzz/README.md
	cmake --build --preset fuzz --target fuzzers
	tests/fuzz/run build/fuzz $(SECONDS) $(JOBS)

build/tsan/build.ninja: | deps
	cmake --preset tsan

tsan: deps build/tsan/build.ninja  ## 8 threads on one solver and one manifold under the thread sanitizer
	cmake --build --preset tsan --target solver_threads_test
	ctest --preset tsan -R '^solver_threads_test'

sanitize: fuzz tsan  ## both

clean:  ## remove all that was built
	rm -rf build
