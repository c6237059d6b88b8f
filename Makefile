# SPDX-License-Identifier: BSD-2-Clause
# A short door to the Meson build. `make run` and `make test` work on a fresh Debian 12 machine: they install
# what is missing, build, and go on. Everything else is Meson: see CONTRIBUTING.md.
BUILD ?= build
MESON_FLAGS ?=
DESTDIR ?=

.PHONY: all setup run test check unit e2e bench asan tsan install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

setup:
	@tools/setup

$(BUILD)/build.ninja:
	meson setup $(BUILD) $(MESON_FLAGS)

# The main job: a C program becomes events on the screen. The tests are not built for that.
run: setup
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	ninja -C $(BUILD) skep examples/execwatch
	$(BUILD)/skep run examples/hello.bpf.c -- sh -c 'ls >/dev/null; id'

test: setup
	@$(MAKE) --no-print-directory all
	@meson test -C $(BUILD) --no-rebuild -t 10 --print-errorlogs || true
	@tools/count-tests $(BUILD)/meson-logs/testlog.json

bench: all
	ninja -C $(BUILD) bench

check unit e2e: all
	meson test -C $(BUILD) --no-rebuild -t 10 --print-errorlogs --suite $@

# The unit tests under the sanitizers, each in a build directory of its own. Instrumented code confuses the
# compiler's warnings, so they are not errors there.
asan: MESON_FLAGS = -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=false
asan tsan: setup
	@[ -f build-$@/build.ninja ] || meson setup build-$@ $(MESON_FLAGS)
	ninja -C build-$@
	meson test -C build-$@ --no-rebuild -t 10 --print-errorlogs --suite unit
tsan: MESON_FLAGS = -Db_sanitize=thread -Db_lundef=false -Dwerror=false

install: all
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-asan build-tsan
