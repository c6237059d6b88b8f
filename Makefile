# A short door to the Meson build. `make run` and `make test` work on a fresh Debian 12 machine.
BUILD ?= build
MESON_FLAGS ?=

.PHONY: all setup run test check install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

setup:
	tools/setup

$(BUILD)/build.ninja:
	meson setup $(BUILD) $(MESON_FLAGS)

install: all
	DESTDIR=$(DESTDIR) meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)
