# The commands of the house; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
# Real processes wait for one another, and leave the processors to others.
SLOW_JOBS ?= 3
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Each of a thousand processes would compile its libraries again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / \
	  {printf "  \033[1mmake %-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set-up ------------------------------------------------------------------

# Brings what is in $missing where it can, and leaves in it what it cannot.
define APT_INSTALL
if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] \
  && command -v apt-get >/dev/null; then \
  echo "installing:$$missing"; \
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends $$missing >/dev/null \
    && missing=""; \
fi
endef

# What pip cannot bring: a sandbox, git, and a Python that can make venvs.
.PHONY: system
system:
	@missing=""; \
	command -v git >/dev/null || missing="$$missing git"; \
	command -v bwrap >/dev/null || missing="$$missing bubblewrap"; \
	command -v setpriv >/dev/null || missing="$$missing util-linux"; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || missing="$$missing python3-venv"; \
	$(APT_INSTALL); \
	if [ -n "$$missing" ]; then \
	  echo "These are missing, and only root can install them:$$missing"; \
	  echo "On Debian or Ubuntu: sudo apt-get install$$missing"; \
	  exit 1; \
	fi

# What the tests want beside that: an engine for the other sandbox, a
# Prometheus with an Alertmanager and a node exporter, and who reads compose
# files. Where they cannot be had, those tests are skipped by name.
.PHONY: test-system
test-system: system
	@missing=""; \
	PATH="$$PATH:/usr/sbin" command -v dockerd >/dev/null \
	  || missing="$$missing docker.io"; \
	command -v promtool >/dev/null || missing="$$missing prometheus"; \
	command -v amtool >/dev/null \
	  || missing="$$missing prometheus-alertmanager"; \
	command -v prometheus-node-exporter >/dev/null \
	  || missing="$$missing prometheus-node-exporter"; \
	command -v docker-compose >/dev/null \
	  || docker compose version >/dev/null 2>&1 \
	  || missing="$$missing docker-compose"; \
	$(APT_INSTALL)

# torch goes first and through pip: pip honours whatever index or local
# wheels the machine is configured for, and uv keeps what it then finds.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "QUASAR needs Python 3.11 or newer; this is" \
	       "$$($(PYTHON) -V). Say make PYTHON=python3.11 ..."; exit 1; }
	@echo "setting up $(VENV) (once; a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q uv "$$(grep '^torch==' constraints.txt)" \
	  2> >(grep -v 'is ignored: it is neither' >&2)
	@$(BIN)/uv pip install -q --python $(BIN)/python \
	  -c constraints.txt -e '.[dev]'
	@touch $@

.PHONY: install
install: system $(STAMP) ## Set up the environment alone, in .venv/

# --- the platform ------------------------------------------------------------

.PHONY: demo
demo: install ## A whole competition on this machine, watched live
	@$(BIN)/quasar demo $(ARGS)

.PHONY: up
up: install ## The platform on this machine, until Ctrl-C
	@$(BIN)/quasar up $(ARGS)

# --- checks ------------------------------------------------------------------

PYTEST := $(BIN)/pytest --dist loadfile --no-loadscope-reorder

# Coverage is of the fast tests alone: measured in every process that the
# others start, it would cost more than those tests.
.PHONY: test
test: install test-system ## Everything that this machine can test
	@rm -f .coverage .coverage.*
	$(PYTEST) -n $(JOBS) --cov --cov-report= tests/unit tests/house $(ARGS)
	@$(BIN)/coverage report --fail-under=90 --skip-covered | tail -n 40
	@$(BIN)/coverage report --fail-under=100 --include \
	  '*/quasar_core/domain/*,*/quasar_core/contracts/*' | tail -n 3
	$(PYTEST) -n $(SLOW_JOBS) tests/contract tests/e2e tests/faults \
	  tests/gpu tests/integration tests/redteam $(ARGS)

.PHONY: unit
unit: install ## The fast tests alone
	$(BIN)/pytest -n $(JOBS) tests/unit tests/house $(ARGS)

.PHONY: integration
integration: install test-system ## Real Valkey, SQLite, PostgreSQL, git, sandboxes
	$(BIN)/pytest -n $(JOBS) tests/integration tests/contract $(ARGS)

EXAMPLES ?= 500
.PHONY: fuzz
fuzz: install ## Requests made up from the API's OpenAPI: make fuzz EXAMPLES=500
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n $(JOBS) --timeout 3600 \
	  tests/contract $(ARGS)

.PHONY: redteam
redteam: install test-system ## Every attack on sandbox and judge, as one table
	$(BIN)/pytest -q -n $(JOBS) tests/redteam/sandbox tests/redteam/api >&2
	@$(BIN)/python -m tests.redteam $(ARGS)

.PHONY: faults
faults: install test-system ## Every fault on real processes, as one table
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: e2e
e2e: install ## The whole platform as real processes
	$(BIN)/pytest tests/e2e $(ARGS)

IMAGES ?= api weight-setter benchmark-worker verifier-worker miner-agent
# Images are too large for memory, where the tests' other files lie.
.PHONY: test-images
test-images: install test-system ## Build every image, start them together: IMAGES=...
	TMPDIR="$${TMPDIR:-/tmp}" \
	  QUASAR_IMAGES="$(IMAGES)" $(BIN)/pytest -p no:cacheprovider \
	  --timeout 1800 tests/images $(ARGS)

.PHONY: check
check: install ## Format, lint, types, imports, house rules
	$(BIN)/black -q --check --diff .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/pylint --fail-on=W,E,F libs/quasar_core services deploy \
	  kernels/fla_quasar
	$(BIN)/pytest -q -p no:cacheprovider tests/house

.PHONY: fix
fix: install ## Format, and mend what ruff can mend
	$(BIN)/ruff check --fix -q . || true
	$(BIN)/black -q .

.PHONY: bench
bench: install ## Measure: from submission to benchmark; a whole judging
	$(BIN)/python -m deploy.local.bench $(ARGS)
	$(BIN)/python -m deploy.local.bench_judge $(filter --json,$(ARGS))

.PHONY: dashboards
dashboards: install ## Write the dashboards that Grafana loads
	$(BIN)/python -m deploy.dashboards

.PHONY: configuration
configuration: install ## Write docs/configuration.md and .env.example
	$(BIN)/python -m deploy.reference

# --- the kernels, on a CUDA machine -------------------------------------------

# Where nothing can be installed, GPU_PYTHON=python3 runs what is there: a
# Python with torch, triton and pytest (and fla, for the peers).
GPU_PYTHON ?=
GPU_RUN = $(if $(GPU_PYTHON),PYTHONPATH=.:libs:kernels:$$PYTHONPATH \
  $(GPU_PYTHON),$(BIN)/python)
GPU_SETUP = $(if $(GPU_PYTHON),,install)

.PHONY: gpu
gpu: $(GPU_SETUP) ## The kernel tests, and the device's attacks, on CUDA
	$(GPU_RUN) -m pytest -m gpu -o filterwarnings=default tests/gpu \
	  tests/unit/fla_quasar/ops/quasar/test_on_gpu.py \
	  tests/unit/quasar_core/judge/test_timeline.py \
	  $(if $(GPU_PYTHON),,tests/redteam) $(ARGS)

.PHONY: bench-api
bench-api: install ## Measure: signed submissions a second, on PostgreSQL
	$(BIN)/python -m deploy.local.load.bench_api \
	  --out docs/benchmarks/api-$$(date +%F).md $(ARGS)

.PHONY: bench-scale
bench-scale: install ## Measure: reading 100 000 submissions in PostgreSQL
	$(BIN)/python -m deploy.local.load.bench_scale \
	  --out docs/benchmarks/scale-$$(date +%F).md $(ARGS)

.PHONY: bench-pool
bench-pool: install ## Measure: 1, 2, 4, 8 workers whose judge waits 200 ms
	$(BIN)/python -m deploy.local.pool.bench_pool \
	  --out docs/benchmarks/pool-$$(date +%F).md $(ARGS)

.PHONY: bench-kernels
bench-kernels: $(GPU_SETUP) ## Time the kernels beside fla, into docs/benchmarks/
	$(GPU_RUN) -m fla_quasar.bench $(ARGS)

.PHONY: gpu-session
gpu-session: $(GPU_SETUP) ## Tests, then the benchmark by value, nine minutes a call
	$(GPU_RUN) -m tests.gpu.session $(ARGS)

.PHONY: gpu-judge
gpu-judge: $(GPU_SETUP) ## The judge on a card: nine minutes a call, goes on
	$(GPU_RUN) -m tests.gpu.judge_session $(ARGS)

# --- the database ------------------------------------------------------------

.PHONY: migrate
migrate: install ## Bring the database of QUASAR_DATABASE_URL up to date
	$(BIN)/quasar api migrate

.PHONY: migration
migration: install ## Draft a migration from the models: make migration M=...
	$(BIN)/quasar api migration --message "$(M)"

.PHONY: clean
clean: ## Remove the environment and all caches
	rm -rf $(VENV) .run .pytest_cache .ruff_cache .hypothesis \
	  .import_linter_cache .coverage .coverage.*
