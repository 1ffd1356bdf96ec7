# The verbs that people and .ci/run share. PYTHON is the interpreter of the environment to work in.
PYTHON ?= python

.PHONY: install check test bench soak pictures lock

install:  ## the package in place, with the development tools
	$(PYTHON) -m pip install -e '.[dev]'

check:  ## everything that can be said without running it
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m pyright
	$(PYTHON) -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"

test:  ## the tests, as the README's command runs them
	$(PYTHON) -m pytest

bench:  ## the figures, measured on this machine
	$(PYTHON) -m benchmarks

soak:  ## the tests with a hundred times the cases; hours
	WORKBENCH_SOAK=1 $(PYTHON) -m pytest --timeout=0

pictures:  ## the documentation's pictures, made from the real app
	$(PYTHON) docs/pictures/make.py

lock: EXTRAS = dev all spark ray
lock: COMPILE = $(PYTHON) -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock:  ## .ci/*.lock anew; needs pip-tools
	$(COMPILE) $(EXTRAS:%=--extra %) --output-file .ci/requirements.lock pyproject.toml
	echo 'litellm[proxy]' | $(COMPILE) --output-file .ci/litellm.lock -
