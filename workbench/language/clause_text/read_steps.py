"""What selections, failure plans and transforms in clause text mean."""

from __future__ import annotations

from typing import Final

from workbench.language.clause_text.read_ranking import SCORER_ACTIONS
from workbench.language.clause_text.reader import Action

ACTIONS: Final[dict[str, Action]] = {**SCORER_ACTIONS}
