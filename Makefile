# Short names for the goals of Pants, the same on every machine and in CI.
#
#   make test TARGETS=tests/core::
#   make ci TARGETS=--changed-since=origin/main

PANTS ?= ./pants
TARGETS ?= ::
LOCKS ?=
CHECK_COVERAGE = $(PANTS) run build-support/coverage_floor.py

.DEFAULT_GOAL := help
.PHONY: help ci lint format type-check test test-unit test-integration test-cov package docs image install lock clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ci: lint type-check test package docs image ## everything that continuous integration checks

lint: ## check format, style, BUILD files, locks and workflows
	$(PANTS) tailor --check update-build-files --check lint $(TARGETS)

format: ## repair what lint can repair
	$(PANTS) fix $(TARGETS)

type-check: ## check types, and which package may import which
	$(PANTS) check $(TARGETS)

test: ## run all tests, and measure branch coverage; of everything, check the floor too
	$(PANTS) test --use-coverage $(TARGETS)
	$(if $(filter ::,$(TARGETS)),$(CHECK_COVERAGE))

test-unit: ## run the tests that need nothing but the packages
	$(PANTS) --tag=-integration,-slow test $(TARGETS)

test-integration: ## run the tests that need servers or other programs
	$(PANTS) --tag=integration test $(TARGETS)

test-cov: ## measure branch coverage by the unit tests, and check the floor
	$(PANTS) --tag=-integration,-slow test --use-coverage $(TARGETS)
	$(CHECK_COVERAGE)

package: ## build the wheels, the source archives and the executable into dist/
	$(PANTS) --filter-target-type=-docker_image --tag=-local,run-only package $(TARGETS)

docs: ## build the pages of docs/ as a site into dist/docs/; a link within them that leads nowhere fails
	$(PANTS) run docs:mkdocs -- build --strict --quiet

image: ## build the container image and try it
	docker/build

install: ## make an editable virtual environment for your editor below dist/export/
	$(PANTS) export --resolve=default

lock: ## renew the locks: LOCKS="default tools/ruff", or all; LOCKS=--upgrade for newer versions
	$(PANTS) run pants-plugins/lockfiles/generate.py -- $(LOCKS)

clean: ## remove what was built; the caches outside the repository stay
	rm -rf dist .pants.d .pids
