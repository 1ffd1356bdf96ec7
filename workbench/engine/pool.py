"""The population a policy decides over: wire candidates in catalog order, and the vocabulary they are read with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.errors import AdmissionError, Finding
from workbench.language.vocabulary import V1_FIELDS, Field, Vocabulary

if TYPE_CHECKING:
    from workbench.engine.columnar.columns import Columns

_V1 = {field.name: field for field in V1_FIELDS}


class Pool:
    """A frozen population. Its columns are built once, when first needed; the candidates must not change after."""

    def __init__(
        self, candidates: Sequence[Mapping[str, Any]], vocabulary: Vocabulary, identity: str | None = None
    ) -> None:
        self.candidates: tuple[Mapping[str, Any], ...] = tuple(candidates)
        self.vocabulary = vocabulary
        self.identity = identity
        """The catalog's SHA-256 where the pool is a whole catalog."""

    def __len__(self) -> int:
        return len(self.candidates)

    @cached_property
    def columns(self) -> Columns:
        """The same candidates as numpy columns."""
        from workbench.engine.columnar.columns import Columns  # noqa: PLC0415 - numpy only when it is needed

        return Columns(self.candidates, self.vocabulary)


def declared(vocabulary: Vocabulary, name: str) -> Field:
    """The field of that name, those of v1 included. Raises `AdmissionError` where the policy is of another catalog."""
    field = vocabulary.fields.get(name) or _V1.get(name)
    if field is None:
        finding = Finding(f"field `{name}` is not declared by the catalog at hand", "unknown_field")
        raise AdmissionError("the policy was admitted against another catalog", [finding])
    return field
