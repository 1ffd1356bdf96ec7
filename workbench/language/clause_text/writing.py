"""Terms to clause text, for every sort. Only admitted terms can be written."""

from __future__ import annotations

from typing import Any, Final

from workbench.language.clause_text.write_ranking import MIDDLE, SCORER_WRITERS, Writer, written
from workbench.language.clause_text.write_steps import STEP_WRITERS
from workbench.language.vocabulary import Vocabulary

Term = list[Any]

_WRITERS: Final[dict[str, Writer]] = {**SCORER_WRITERS, **STEP_WRITERS}


def to_text(term: Term, vocabulary: Vocabulary) -> str:
    """The clause text of an admitted term; what it is read back as has the same normal form."""
    return written(term, vocabulary, _WRITERS).text


def selection_to_text(selector: Term, scorer: Term | None, vocabulary: Vocabulary) -> str:
    """A selector with the scorer it goes by: `top 3 by cheapest by price_out`. Without a scorer the selector alone."""
    text = to_text(selector, vocabulary)
    if scorer is None:
        return text
    return f"{text} by {written(scorer, vocabulary, _WRITERS).inside(MIDDLE)}"
