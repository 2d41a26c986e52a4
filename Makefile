# Everything a person or a build does with Keyturn. `make help` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
# What the build links and the tests run, by Debian's names.
PACKAGES = libarchive-dev libcurl4-openssl-dev libsqlite3-dev libsystemd-dev pkg-config openssl strace git python3 msmtp python3-aiosmtpd

SWIFT ?= swift
RELEASE = -c release --static-swift-stdlib --product keyturn

# What some tests run where it is there, by Debian's names.
EXTRA_PACKAGES = prometheus

.PHONY: help deps deps-extra build release demo test simulate torture mutants lint format install

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

deps: INSTALLED = $(PACKAGES)
deps: ## Debian packages, where missing (asks for root only then)
	$(install-packages)

deps-extra: INSTALLED = $(EXTRA_PACKAGES)
deps-extra: ## what only some tests need: promtool; they are skipped without it
	$(install-packages)

define install-packages
	@missing=; for package in $(INSTALLED); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi
endef

build: deps ## the executable, for development
	$(SWIFT) build --product keyturn

release: deps ## the executable, for use: Swift's runtime inside
	$(SWIFT) build $(RELEASE)

demo: build ## a gateway, two tokens, consumers that never fail: half a minute
	@"$$($(SWIFT) build --product keyturn --show-bin-path)/keyturn" demo

test: deps ## all tests
	$(SWIFT) test

mutants: deps ## break one guard after the other and see that the tests notice: a quarter of an hour
	python3 Tests/mutants/mutants.py

# Lives of the whole engine under every kind of trouble, a seed each; FROM is the first. Weeks each; LONG=1: years, seconds a seed.
SEEDS ?= 100000
FROM ?= 1

simulate: deps ## so many SEEDS of trouble: simulated years, faults, violations
	$(SWIFT) run -c release simulate --seeds $(SEEDS) --from $(FROM) $(if $(LONG),,--short)

KILLS ?= 1000
torture: deps ## kill the daemon at every durable step and at random moments; KILLS=1000, KEYTURN_TESTS_SEED=N repeats
	KEYTURN_TORTURE_KILLS=$(KILLS) $(SWIFT) test --filter KillTests

lint: ## formatting and what the compiler does not see
	$(SWIFT) format lint --strict --configuration .swift-format --recursive Package.swift Sources Tests
	./.ci/imports

format: ## bring the sources into shape
	$(SWIFT) format --in-place --configuration .swift-format --recursive Package.swift Sources Tests

install: release ## executable, unit, user and samples below DESTDIR/PREFIX
	install -D -s -m 0755 "$$($(SWIFT) build $(RELEASE) --show-bin-path)/keyturn" $(DESTDIR)$(PREFIX)/bin/keyturn
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/bin/keyturn|$(PREFIX)/bin/keyturn|' systemd/keyturn.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/keyturn.service
	install -D -m 0644 systemd/keyturn.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/keyturn.conf
	install -d $(DESTDIR)$(PREFIX)/share/keyturn/policies
	install -m 0644 etc/keyturn.yaml $(DESTDIR)$(PREFIX)/share/keyturn/
	install -m 0644 policies/*.yaml $(DESTDIR)$(PREFIX)/share/keyturn/policies/
