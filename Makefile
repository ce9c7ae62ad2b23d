# Two commands for a new machine: `make demo` and `make test`. Each line is one you could have typed.
PYTHON ?= python3
# The CPU build of torch on a machine whose index has one; anything pip understands will do.
TORCH ?= torch==2.13.0
VENV ?= .venv
RUN := $(VENV)/bin/python -m
# Containers like to set it. The tests start dozens of interpreters, each of which would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-all test-more test-trt gpu-proof check cover docs docs-serve picture wheel clean

demo: $(VENV)/.demo  ## Track the bundled scene with the bundled model; writes demo.mp4
	$(VENV)/bin/eatrack-edge track test:// -o demo.mp4 --jsonl demo.jsonl --overwrite

test: $(VENV)/.test  ## The fast tests: no torch, no GPU, under a minute
	$(RUN) pytest -n auto --dist worksteal

test-all: $(VENV)/.dev  ## Everything that needs no GPU and no research data; brings torch
	$(RUN) pytest -n auto --dist worksteal -m "not slow and not gpu and not jetson and not trt"

test-more: $(VENV)/.dev  ## What `make test` leaves out of that: torch, servers, browsers, the package's own install
	$(RUN) pytest -n auto --dist worksteal -m "(torch or system or install) and not slow and not gpu and not jetson and not trt"

test-trt: $(VENV)-trt-1.7.1.116/.ready $(VENV)-trt-1.4.0.76/.ready  ## NVIDIA's builder, as TensorRT 11 and as 10; no GPU
	$(VENV)-trt-1.7.1.116/bin/python -m pytest -m trt tests/engines
	$(VENV)-trt-1.4.0.76/bin/python -m pytest -m trt tests/engines

gpu-proof: $(VENV)-gpu/.ready  ## On an NVIDIA GPU: engines, boxes, memory and speed; writes gpu-proof/
	$(VENV)-gpu/bin/eatrack-edge bench gpu-proof -o gpu-proof

check: $(VENV)/.dev  ## Style, types, layers
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) pyright
	$(VENV)/bin/lint-imports

cover: $(VENV)/.test  ## Line and branch coverage of what is deployed: at least 95 %
	$(RUN) pytest --cov --cov-report=
	$(RUN) coverage report --include='eatrack_edge/tracking/*,eatrack_edge/inference/*,eatrack_edge/sources/*,eatrack_edge/outputs/*,eatrack_edge/session/*,eatrack_edge/core/*' --fail-under=95

docs: $(VENV)/.docs  ## The documentation site, into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

docs-serve: $(VENV)/.docs  ## The same, built anew whenever a page changes
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs serve

picture: $(VENV)/.demo  ## Render docs/images/scene.webp for the README
	$(VENV)/bin/python docs/render_scene.py

wheel: $(VENV)/.dev
	$(RUN) build --wheel

clean:
	rm -rf $(VENV) dist build site demo.mp4 demo.jsonl

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(RUN) pip install --quiet -e '.[cpu]'
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(RUN) pip install --quiet -e '.[cpu,test]'
	touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(RUN) pip install --quiet -e '.[docs]'
	touch $@

# TensorRT for RTX runs engines on PCs and servers, and comes as a wheel.
$(VENV)-gpu/.ready: pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet -e '.[gpu,eval]' onnx cuda-python tensorrt-rtx==1.7.1.116
	touch $@

$(VENV)-trt-%/.ready: pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet -e '.[cpu,test]' onnx tensorrt-rtx-cu13==$*
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(RUN) pip install --quiet '$(TORCH)'
	$(RUN) pip install --quiet -e '.[cpu,dev]' shapely
	$(RUN) pip install --quiet --no-deps got10k  # a second opinion on our metrics; its pins are from 2019
	touch $@
