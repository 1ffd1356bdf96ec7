"""How much a test runs: `WORKBENCH_SOAK=1` asks for the long figures, anything else for those of a pull request."""

from __future__ import annotations

import os
from typing import Final

SOAK: Final = os.environ.get("WORKBENCH_SOAK") == "1"


def scaled(short: int, long: int) -> int:
    """The number of cases of this run."""
    return long if SOAK else short
