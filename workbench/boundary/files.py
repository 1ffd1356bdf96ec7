"""The user's files: names, reading, writing, saving; the one door to them for the layers above.

Owns no code of its own: `names` decides what may be a path, `regular` reads, `saves` writes, and what they refuse is a
`FileRefused` with a code from `CODES`.
"""

from __future__ import annotations

from workbench.boundary.names import check_name, expanded, path_inside
from workbench.boundary.regular import CODES, Stamp, read_bytes, read_stamped, stamp
from workbench.boundary.saves import Saved, Swept, save_over, sweep_leftovers, write_atomic

__all__ = [
    "CODES",
    "Saved",
    "Stamp",
    "Swept",
    "check_name",
    "expanded",
    "path_inside",
    "read_bytes",
    "read_stamped",
    "save_over",
    "stamp",
    "sweep_leftovers",
    "write_atomic",
]
