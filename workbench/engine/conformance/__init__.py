"""Conformance vectors: `files` reads them, `replay` runs them through the evaluators and says what differs."""

from workbench.engine.conformance.files import MAX_BYTES, parse, read
from workbench.engine.conformance.replay import Chosen, Failure, Report, run

__all__ = ["MAX_BYTES", "Chosen", "Failure", "Report", "parse", "read", "run"]
