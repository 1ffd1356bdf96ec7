"""pyarrow, which the extra `fleet` brings: the one place that loads it, and says what to install where it is missing.

pyarrow has no types that a checker could read, so everything of it is `Any` here; the names below say what is meant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, TypeAlias

from workbench.errors import Finding, UsageError


def load(name: str, extra: str = "fleet") -> Any:
    """The module of that name. Raises `UsageError` with what to install."""
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        hint = f"pip install 'policy-workbench[{extra}]'"
        finding = Finding(f"`{package}` is not installed", "not_installed", hint=hint)
        raise UsageError("a fleet needs more than is installed", [finding]) from None


pa: Final[Any] = load("pyarrow")
pc: Final[Any] = load("pyarrow.compute")

Batch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
Array: TypeAlias = Any
"""A `pyarrow.Array`."""
Schema: TypeAlias = Any
"""A `pyarrow.Schema`."""
