"""The policy workbench: decide per tenant which model may answer, see why, and prove it.

    policy = workbench.admit(term, vocabulary)
    decision = workbench.decide(policy, catalog, workbench.Context())
    compiled = workbench.compile(tenant, rulebook)
    workspace = workbench.load_workspace(path)

Names are loaded when they are first used: `import workbench` itself loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.api import admit as admit
    from workbench.api import admit_json as admit_json
    from workbench.api import compile as compile  # noqa: A004 - the public name of the operation
    from workbench.api import decide as decide
    from workbench.api import load_workspace as load_workspace
    from workbench.engine.context import Context as Context
    from workbench.engine.decision import Decision as Decision
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.language.admission import Admitted as Admitted
    from workbench.language.vocabulary import Vocabulary as Vocabulary

_HOMES = {
    "admit": "workbench.api",
    "admit_json": "workbench.api",
    "compile": "workbench.api",
    "decide": "workbench.api",
    "load_workspace": "workbench.api",
    "Admitted": "workbench.language.admission",
    "Context": "workbench.engine.context",
    "Decision": "workbench.engine.decision",
    "Vocabulary": "workbench.language.vocabulary",
    "WorkbenchError": "workbench.errors",
}

__version__ = "0.1.0"
"""The package's version, as `pyproject.toml` states it."""

__all__ = [
    "Admitted",
    "Context",
    "Decision",
    "Vocabulary",
    "WorkbenchError",
    "admit",
    "admit_json",
    "compile",
    "decide",
    "load_workspace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `workbench` has no `{name}`")
    from importlib import import_module  # noqa: PLC0415 - part of the lazy load

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
