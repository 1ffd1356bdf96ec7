"""The public functions, for people who use the workbench as a library; docs/api.md shows them at work.

Thin: each is one call into the layer that owns it. Loads no terminal, web or HTTP library.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.boundary import strict_json
from workbench.engine.context import Context
from workbench.engine.decide import decide as decide_over
from workbench.engine.decision import Decision
from workbench.engine.decisions import Decisions
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted, check
from workbench.language.lowering import lower
from workbench.language.vocabulary import CORE, Vocabulary
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.tenant import Tenant

if TYPE_CHECKING:
    from workbench.catalog import Catalog
    from workbench.session.workspace import Workspace

_MOST_POOLS: Final = 8
_MOST_POLICIES: Final = 1_024
_LARGEST_KEPT: Final = 16 * 1024
"""Bytes of a policy's JSON that are worth keeping as a key."""


class _Kept(threading.local):
    """What one thread keeps: neither decisions nor admitted bytes are shared between threads."""

    def __init__(self) -> None:
        self.decisions: dict[str, Decisions] = {}
        """Of the last few catalogs by their SHA-256, so that columns are built once and no question answered twice."""
        self.admitted: dict[tuple[bytes, int], tuple[Admitted, Vocabulary]] = {}
        """By bytes and vocabulary; the vocabulary is kept alive, because its identity is the key."""


_KEPT: Final = _Kept()


def admit(term: object, vocabulary: Vocabulary = CORE) -> Admitted:
    """The term, checked, normalized and encoded; the only way to something that can be decided.

    `term` is a plain nested list as JSON gives it; the spellings `["in", ...]`, `["not_in", ...]`, `["eq", ...]` and
    `["ne", ...]` are lowered first. `vocabulary` is the catalog's (`catalog.vocabulary`), or the core fields alone.
    Raises `AdmissionError` whose finding names the place, the reason and, where it can, what to write instead.
    """
    return check(lower(cast("list[Any]", term), vocabulary) if isinstance(term, list) else term, vocabulary)


def admit_json(data: bytes, vocabulary: Vocabulary = CORE) -> Admitted:
    """As `admit`, from a policy's JSON; the same bytes under the same vocabulary are read once.

    Raises `DocumentError` with line and column for what is no strict JSON, else as `admit`.
    """
    key = (data, id(vocabulary))
    known = _KEPT.admitted.get(key)
    if known is not None:
        return known[0]
    admitted = admit(strict_json.loads(data, source="policy_ir"), vocabulary)
    if len(data) <= _LARGEST_KEPT:
        while len(_KEPT.admitted) >= _MOST_POLICIES:
            _KEPT.admitted.pop(next(iter(_KEPT.admitted)))
        _KEPT.admitted[key] = admitted, vocabulary
    return admitted


def decide(policy: Admitted, catalog: Catalog | Pool, context: Context | Mapping[str, Any] | None = None) -> Decision:
    """Filter, rank and select: every survivor in order with its score, every rejection with its reason.

    `catalog` is a loaded catalog, or a `Pool` of your own candidates. `context` holds the request, the host's state and
    the seed (`Context`, or its wire form). Pure: the same arguments give the same decision to the last bit.
    Raises `UsageError` for a term that is no policy, `AdmissionError` for one admitted against another catalog.
    """
    known = context if isinstance(context, Context) else Context.of(context or {})
    if isinstance(catalog, Pool):
        return decide_over(policy, catalog, known)
    return _decisions(catalog).decide(policy, known)


def _decisions(catalog: Catalog) -> Decisions:
    kept = _KEPT.decisions
    known = kept.get(catalog.sha256)
    if known is None:
        if len(kept) >= _MOST_POOLS:
            kept.pop(next(iter(kept)))
        known = kept[catalog.sha256] = Decisions(Pool(catalog.candidates, catalog.vocabulary, catalog.sha256))
    return known


def compile(tenant: Tenant, rulebook: Rulebook) -> Compiled:  # noqa: A001 - the public name of the operation
    """The tenant's policy and, for each clause, the rule and the tenant facts that put it there.

    Raises `CompileError` with every finding; a fact that a rule asks for and the tenant lacks is one.
    """
    return compile_policy(tenant, rulebook, rulebook.vocabulary)


def load_workspace(path: str | Path) -> Workspace:
    """The workspace in a folder: catalog, rulebook and tenants, ready to decide with.

    Raises `WorkspaceError`, `CatalogError`, `RulebookError`, `DocumentError` or `FileRefused`; a tenant file that can't
    be used stands in `broken` and stops nobody else.
    """
    from workbench.session.workspace import open_workspace  # noqa: PLC0415 - the catalog's models load with it

    return open_workspace(Path(path))
