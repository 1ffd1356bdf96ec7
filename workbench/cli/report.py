"""The report of an internal error: where it happened, never what the values were.

Holds exception types and our own line numbers. Messages are left out, since they may quote a tenant's data or a key;
locals are never read.
"""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

FOLDER = "policy-workbench"


def write_report(error: BaseException) -> Path | None:
    """Write the report to the state directory, else to the temporary one; its path, None where neither takes it."""
    text = "\n".join(report(error)) + "\n"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix="internal-", suffix=".txt", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
        except OSError:
            continue
        return Path(name)
    return None


def _folders() -> Iterator[Path]:
    import platformdirs

    yield Path(platformdirs.user_state_dir(FOLDER, appauthor=False)) / "reports"
    yield Path(tempfile.gettempdir())


def report(error: BaseException) -> Iterator[str]:
    """The report's lines: versions, then each exception of the chain with its frames, innermost last."""
    from workbench.cli.version import installed_version

    yield f"policy-workbench {installed_version()}, Python {platform.python_version()}, {platform.system()}"
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{type(current).__module__}.{type(current).__qualname__}"
        for frame in traceback.extract_tb(current.__traceback__, limit=-40):
            yield f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}"
        current = current.__cause__ or current.__context__


def _short(filename: str) -> str:
    """A path without what stands before the package: no user name, no project name."""
    parts = Path(filename).parts
    for anchor in ("site-packages", "workbench"):
        if anchor in parts:
            return "/".join(parts[parts.index(anchor) :])
    return parts[-1] if parts else filename
