"""Records that are made by the thousand a second: immutable for the type checker, as cheap as any at run time.

A frozen dataclass sets each field through `object.__setattr__`, which makes one of twenty fields cost more than what it
records. Use `dataclass(frozen=True)` wherever that does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def sealed(made: type[T]) -> type[T]:
    """A dataclass with slots, compared and hashed by its fields; nobody may assign to one."""
    return dataclass(slots=True, unsafe_hash=True)(made)
