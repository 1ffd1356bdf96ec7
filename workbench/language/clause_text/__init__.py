"""Clause text: what people type and read, and the terms it stands for (docs/clauses.md).

Importing this costs nothing to speak of; the parser is loaded by the first parse.
"""

from __future__ import annotations

from workbench.language.clause_text.completion import Completion, complete
from workbench.language.clause_text.reading import (
    Parsed,
    Selection,
    json_error,
    parse_condition,
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
)
from workbench.language.clause_text.scanner import binding_names, tokens
from workbench.language.clause_text.writing import selection_to_text, to_text

__all__ = [
    "Completion",
    "Parsed",
    "Selection",
    "binding_names",
    "complete",
    "json_error",
    "parse_condition",
    "parse_fallback",
    "parse_pred",
    "parse_scorer",
    "parse_selection",
    "parse_transform",
    "selection_to_text",
    "to_text",
    "tokens",
]
