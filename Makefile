# Everything that is done to Madsea. `make demo` and `make test` need Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
# What generates clients and makes up requests has an environment of its own: it drags much in.
CLIENTS := .venv-clients
# ComfyUI's own templates, which only their comparison needs.
TEMPLATES := .venv-templates
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
# What is installed is what was tried: each file is held against the hashes beside its version.
INSTALL := $(PIP) --require-hashes --prefer-binary
# One version of each package for every Python from 3.11 on and every platform: the tested one.
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-annotate --no-header --upgrade
SOURCES := madsea wording nomenclature comfyui_preview generation storyboards review samples tests lab manage.py
# Most of the slow tests wait for processes: more of them at once than there are cores. What they
# start shares its bytecode, even where the environment forbids to write it: else each compiles all.
PYTEST := PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n 6 --dist worksteal -m "not soak" $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help install demo serve test check lint types migrations bench faults matrix kills pace way chaos chaos-long hostile fuzz clients corpus templates real messages pictures requirements clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt | $(VENV)/.made
	@echo "Installing requirements.txt …"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(VENV)/.made
	@echo "Installing requirements.txt and requirements-dev.txt …"
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

$(CLIENTS)/.installed: requirements-clients.txt | $(VENV)/.made
	@test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	@echo "Installing requirements-clients.txt …"
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --prefer-binary -r requirements-clients.txt
	@touch $@

$(TEMPLATES)/.installed: requirements-templates.txt | $(VENV)/.made
	@test -x $(TEMPLATES)/bin/python || $(PYTHON) -m venv $(TEMPLATES)
	@echo "Installing requirements-templates.txt …"
	@$(TEMPLATES)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --prefer-binary -r requirements-templates.txt
	@touch $@

install: $(VENV)/.installed ## Make .venv and install what Madsea needs

demo: $(VENV)/.installed ## Render the example request on this machine, from HTTP to named files
	@$(PY) -m samples.demo

serve: $(VENV)/.installed ## Run web, workers and (without COMFYUI_SERVERS) the preview server
	@MADSEA_ENDS_WITH=$$PPID $(PY) manage.py serve $(ARGS) || test $$? -eq 130

test: $(VENV)/.installed-dev ## Run every test but the soaks (on DATABASE_URL and REDIS_URL, if set)
	$(PYTEST)

check: lint types migrations test ## Run all that a change must pass

lint: $(VENV)/.installed-dev
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)

types: $(VENV)/.installed-dev
	$(PY) -m mypy

migrations: $(VENV)/.installed-dev
	$(PY) manage.py makemigrations --check --dry-run

bench: $(VENV)/.installed-dev ## Measure the big request and the throughput (ARGS=--help)
	$(PY) -m lab.benchmarks $(ARGS)

chaos: $(VENV)/.installed-dev ## Three seeds of kills, faults and frozen drivers on both databases (ARGS=--help)
	$(PY) -m lab.chaos --seeds 1-3 --database both $(ARGS)

chaos-long: $(VENV)/.installed-dev ## Twenty seeds on both databases, 200 faults each: an hour and a half
	$(PY) -m lab.chaos --seeds 1-20 --faults 200 --database both --redis $(ARGS)
	$(PY) -m pytest -m soak tests/services/test_lease_model.py

hostile: $(VENV)/.installed-dev ## Be hostile to Madsea in every known way, one line per fact (ARGS="anonymous --keep", ARGS=--help)
	$(PY) -m lab.hostile $(ARGS)

fuzz: $(VENV)/.installed-dev $(CLIENTS)/.installed ## Hold the API against its schema by 5,000 requests for each of three seeds (ARGS=--help)
	$(PY) -m lab.fuzz --st $(CLIENTS)/bin/st $(or $(ARGS),--seeds 1,2,3 --requests 5000)

clients: $(VENV)/.installed-dev $(CLIENTS)/.installed ## Generate clients for Python and TypeScript (npm), and run the contract by them (ARGS=python)
	$(PY) -m lab.clients --bin $(CLIENTS)/bin $(ARGS)

corpus: $(VENV)/.installed-dev ## Tell what is read of each graph that the tests know (ARGS="FOLDER" reads more)
	@$(PY) -m lab.workflows $(ARGS)

templates: $(VENV)/.installed-dev $(TEMPLATES)/.installed ## Tell what is read of ComfyUI's own templates, and hold their conversion against its page
	@$(PY) -m lab.workflows.template_reading $(TEMPLATES)/lib $(ARGS)

real: $(VENV)/.installed-dev ## Kills on two real ComfyUI servers, workflows of every shape on one (ARGS="'START {port} {home}'", ARGS=--help)
	$(PY) -m lab.real $(ARGS)

faults: $(VENV)/.installed-dev ## Play every fault of ComfyUI, and write docs/faults.md
	$(PY) -m lab.faults $(ARGS)

matrix: $(VENV)/.installed-dev ## Play every fault of ComfyUI, and hold docs/faults.md against it
	$(PY) -m pytest -n 6 --dist worksteal -m soak tests/lab/test_faults.py $(ARGS)

kills: $(VENV)/.installed-dev ## Kill, stop and cut off between whichever steps, where make test does so between the riskiest
	PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n 6 --dist worksteal -m soak $(addprefix tests/acceptance/test_,kills.py demo.py stops.py outages.py) $(ARGS)

pace: $(VENV)/.installed-dev ## Judge forty plans at the light table, without pauses and as fast as a person does; open 2,000
	$(PY) -m pytest -s -k "forty or hundred or two_thousand" tests/browser/test_light_table.py tests/browser/test_large_episodes.py $(ARGS)

way: $(VENV)/.installed-dev ## Go a supervisor's way in a browser, in French, at a desk and on a phone (MADSEA_SCREENSHOTS=FOLDER); send 500 MB
	$(PY) -m pytest -s -m soak tests/browser/test_supervisors_way.py tests/acceptance/test_large_storyboards.py $(ARGS)

pictures: $(VENV)/.installed-dev ## Tell what the checks of pictures find, and what they alarm on, of scenes that are drawn
	@$(PY) -m lab.picture_checks $(ARGS)

messages: $(VENV)/.installed-dev ## Gather all that people read into the catalogues, and compile them
	@$(PY) -m lab.messages $(ARGS)

requirements: $(VENV)/.installed-dev ## Pin anew what the requirements*.in name
	$(PIP) uv
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-preview.in -c requirements.txt -o requirements-preview.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) requirements-clients.in -o requirements-clients.txt
	$(COMPILE) requirements-templates.in -o requirements-templates.txt

clean: ## Remove .venv and caches; var/ stays
	rm -rf $(VENV) $(CLIENTS) $(TEMPLATES) .mypy_cache .ruff_cache .pytest_cache .hypothesis
