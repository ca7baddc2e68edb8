# Everything from a fresh clone: `make demo` shows the main job, `make test` proves it works.
# Needs only Python 3.11 or newer, make and git; the rest is installed into .venv (and, as root, with apt).

BIN := .venv/bin
QUICK := not defects and not slow
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test slow defects lint types unit packaging bench clean

help:
	@echo "make demo       start the demo target, run a campaign against it, say where the report lies"
	@echo "make test       lint, types and all tests, with the services they need"
	@echo "make slow       the tests that take long"
	@echo "make defects    the tests that find each defect of the demo, one by one"
	@echo "make lint       ruff and mypy only"
	@echo "make packaging  only the tests that build and install the wheel, the sdist and a zip"
	@echo "make bench      the figures of docs/performance.md, measured on this machine"
	@echo "make clean      remove everything that make and the tests have made"

demo: .venv/.installed
	@$(BIN)/campaign run --demo

test: .venv/.dev
	@scripts/services
	$(MAKE) lint
	@scripts/run_tests --dist loadfile -m "$(QUICK) and not alone"
	$(BIN)/pytest -m "$(QUICK) and alone"

slow: .venv/.dev
	@scripts/services
	@scripts/run_tests --dist worksteal -m "slow and not defects"

defects: .venv/.dev
	@scripts/services
	@scripts/run_tests --dist worksteal -m defects

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

packaging: .venv/.dev
	$(BIN)/pytest -m packaging

bench: .venv/.dev
	@scripts/services bench
	@scripts/bench_environment
	$(BIN)/python benchmarks/client_cpu.py
	$(BIN)/python benchmarks/stall.py
	$(BIN)/python benchmarks/fleet.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/demo_throughput.py
	$(BIN)/python benchmarks/report_render.py
	$(BIN)/python benchmarks/database.py
	$(BIN)/python benchmarks/guardian.py
	$(BIN)/python benchmarks/recovery.py
	$(BIN)/python benchmarks/safety.py
	$(BIN)/python benchmarks/verdicts.py

.venv/.installed: pyproject.toml hatch_build.py package-lock.json scripts/environment
	@scripts/environment
	@touch $@

.venv/.dev: .venv/.installed
	@scripts/environment dev
	@touch $@

clean:
	rm -rf .venv .cache dist build templates/vendor node_modules *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find reports -mindepth 1 -maxdepth 1 ! -name README.md ! -name sample -exec rm -rf {} +
