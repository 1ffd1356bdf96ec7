"""Terms to clause text, for every sort. Only admitted terms can be written."""

from __future__ import annotations

from typing import Any

from workbench.language.clause_text.write_ranking import SCORER_WRITERS, written
from workbench.language.vocabulary import Vocabulary

Term = list[Any]


def to_text(term: Term, vocabulary: Vocabulary) -> str:
    """The clause text of an admitted term; what it is read back as has the same normal form."""
    return written(term, vocabulary, SCORER_WRITERS).text
