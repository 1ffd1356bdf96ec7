"""What the meaning of a clause needs beside its tree: the names in force, the bindings, and how to complain.

Owns the fold over lark's tree (without recursion, so that no depth of parentheses hurts) and every `ClauseError` about
what a word means. Whether the result is a policy is for admission to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as slot
from typing import Any, Final, Literal, NamedTuple, NoReturn, cast

from lark import Token, Tree

from workbench.boundary.sanitiser import one_line
from workbench.errors import ClauseError, Finding, Place
from workbench.language.clause_text.spelling import SUBJECTS, read_number, unquote
from workbench.language.vocabulary import V1_FIELDS, Field, Vocabulary

_V1_FIELDS: Final = {known.name: known for known in V1_FIELDS}
TITLE: Final = "the clause cannot be read"
SUGGESTIONS: Final = 3
SHOWN_VALUES: Final = 8

SubjectKind = Literal["name", "tier", "category", "Num", "Bool"]


class Subject(NamedTuple):
    """What the left side of a comparison is."""

    kind: SubjectKind
    name: str


def fault(reason: str, column: int, code: str, *, hint: str | None = None, expected: Sequence[str] = ()) -> ClauseError:
    """A `ClauseError` with one finding, its text made visible; `column` is 0-based into the text."""
    finding = Finding(one_line(reason), code, Place(column=column), one_line(hint) if hint else hint)
    return ClauseError(TITLE, [finding], column=column, expected=expected)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean ...?` where something known is near, else None."""
    from difflib import get_close_matches  # noqa: PLC0415  only an error pays for it

    by_fold = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_fold, SUGGESTIONS, 0.7)
    return f"did you mean {' or '.join(f'`{by_fold[name]}`' for name in near)}?" if near else None


def some(values: Sequence[str]) -> str:
    """A few of `values`, in backticks."""
    shown = ", ".join(f"`{value}`" for value in values[:SHOWN_VALUES])
    return f"{shown}, …" if len(values) > SHOWN_VALUES else shown


@dataclass
class Reader:
    """One reading of one text."""

    vocabulary: Vocabulary
    bindings: Mapping[str, Any] | None = None
    condition: bool = False
    """Over a tenant's fields: no providers, models, tiers, capabilities, requirements."""
    names: dict[str, None] = slot(default_factory=dict[str, None])
    """The `$names` used, in order of appearance."""

    def bound(self, token: Token) -> Any:
        """What a `$name` stands for: a scalar, or a tuple."""
        name = token[1:]
        if self.bindings is None:
            raise fault(f"`{token}` stands for a fact of a tenant, and there is no tenant here", at(token), "binding")
        if name not in self.bindings:
            hint = did_you_mean(name, self.bindings)
            known = tuple(f"${known}" for known in self.bindings)
            raise fault(f"unknown binding `{token}`", at(token), "unknown_binding", hint=hint, expected=known)
        self.names[name] = None
        value = self.bindings[name]
        return tuple(cast("list[Any]", value)) if isinstance(value, list | tuple) else value

    def scalar(self, token: Token) -> Any:
        """The value of a literal or a `$name`: a string, a number or (a `$name` only) a boolean."""
        if token.type == "BINDING":
            value = self.bound(token)
            if isinstance(value, tuple):
                raise fault(f"`{token}` holds a list; a list stands after `in`", at(token), "binding_sort")
            return value
        if token.type == "NUMBER":
            return number(token)
        return text(token)

    def number(self, token: Token) -> float | int:
        """A number, written or bound."""
        value = self.scalar(token)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            wrong_binding(token, value, "a number")
        return value

    def name(self, token: Token) -> str:
        """A name as a value: a provider, a model, a category's value."""
        value = self.scalar(token)
        if token.type == "BINDING":
            if not isinstance(value, str):
                wrong_binding(token, value, "a name")
        elif token.type == "NUMBER":
            raise fault(
                f"expected a name, not the number `{token}`", at(token), "wrong_sort",
                hint=f'write "{token}" if that is its name', expected=("a name",),
            )  # fmt: skip
        return value

    def subject(self, token: Token) -> Subject:
        """What a name at the left of a comparison means; in quotes it is always a field or a category."""
        name = text(token)
        if token.type != "STRING" and not self.condition and name in SUBJECTS:
            return Subject("tier" if name == "tier" else "name", name)
        if name in self.vocabulary.categories:
            return Subject("category", name)
        known = self.field(name)
        if known is None:
            raise self.unknown(name, token)
        return Subject(known.sort, name)

    def field(self, name: str) -> Field | None:
        """A declared field, or one that v1 always has; which version is meant, admission knows."""
        return self.vocabulary.fields.get(name) or _V1_FIELDS.get(name)

    def unknown(self, name: str, token: Token) -> ClauseError:
        """The error for a field that nobody declared."""
        known = [*self.vocabulary.fields, *self.vocabulary.categories, *(() if self.condition else SUBJECTS)]
        hint = did_you_mean(name, known)
        return fault(f"unknown field `{name}`", at(token), "unknown_field", hint=hint, expected=("a field",))


def at(token: Token) -> int:
    """The token's column."""
    return token.start_pos or 0


def column_of(tree: Any) -> int:
    """Where a part of the tree begins, as far as its tokens say."""
    while isinstance(tree, Tree):
        node = cast("Tree[Token]", tree)
        if not node.children:
            return 0
        tree = node.children[0]
    return at(tree)


def text(token: Token) -> str:
    """The name that a word or a quoted literal spells."""
    if token.type != "STRING":
        return str(token)
    try:
        return unquote(token)
    except ValueError as error:
        raise fault(str(error), at(token), "syntax") from None


def number(token: Token) -> float | int:
    """The number that a token spells."""
    try:
        return read_number(token)
    except ValueError:
        raise fault(f"`{token[:40]}` is too large", at(token), "wrong_sort", expected=("a finite number",)) from None


def wrong_binding(token: Token, value: Any, needed: str) -> NoReturn:
    """Complain that a token, or the fact that it stands for, is of another sort."""
    shown = f"`{token}`" if token.type != "BINDING" else f"`{token}`, which is `{value}`"
    raise fault(f"expected {needed}, not {shown}", at(token), "wrong_sort", expected=(needed,))


Action = Callable[[Reader, "Tree[Token]", list[Any]], Any]
"""The meaning of one kind of node: the reader, the node, what its children mean (a token means itself)."""


def fold(root: Any, reader: Reader, actions: Mapping[str, Action]) -> Any:
    """What a tree means, from the leaves up, left to right."""
    done: list[Any] = []
    work: list[tuple[Any, bool]] = [(root, False)]
    while work:
        part, ready = work.pop()
        if not isinstance(part, Tree):
            done.append(part)
            continue
        node = cast("Tree[Token]", part)
        if not ready:
            work.append((node, True))
            work.extend((child, False) for child in reversed(node.children))
            continue
        first = len(done) - len(node.children)
        meant = done[first:]
        del done[first:]
        done.append(actions[node.data](reader, node, meant))
    return done[0]
