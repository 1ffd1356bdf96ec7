"""The way in: exit code, and the last word on any error.

Nothing heavy is imported here, so that an interrupt during start-up is met with an exit code and not with a traceback.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from workbench.cli import diagnostics, output

PROGRAM = "workbench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (the process's own where none are given) name; gives the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output.prepare()
    _close_leaks(quiet=diagnostics.wants_json(words))
    code = diagnostics.guarded(lambda: _run(words), as_json=diagnostics.wants_json(words))
    return output.finish(code)


def _close_leaks(*, quiet: bool) -> None:
    """Nothing of a prompt or a key goes into a core file, or into Textual's log of every key (RELIABILITY R20)."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if os.environ.pop("TEXTUAL_LOG", None) and not quiet:
        diagnostics.tell("TEXTUAL_LOG is ignored: a log of keys and events would hold what you type")


def _run(words: list[str]) -> int:
    from workbench.cli.root import root

    result = root.main(words, prog_name=PROGRAM, standalone_mode=False)
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
