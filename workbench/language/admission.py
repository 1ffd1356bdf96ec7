"""The one door into the language: `check` gives an `Admitted`, or says where and why not (LANGUAGE 2).

One bounded walk checks, normalizes and encodes a term; nothing is run. Nothing else in the project may meet a term that
has not come through here, and nobody else can make an `Admitted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple, NoReturn, cast

from workbench.errors import AdmissionError, Finding
from workbench.language.encoding import fingerprint, identity, short, versioned
from workbench.language.normal_form import COMBINE, Form
from workbench.language.parameters import CHECKS, Checked, Names, names_of
from workbench.language.refusal import Refusal, did_you_mean, kind_of, miscounted, no_term, null, shown
from workbench.language.signature import (
    MAX_DEPTH,
    MAX_NODES,
    OPS,
    SORTS,
    V1,
    V2,
    Op,
    Sort,
    Version,
    operations,
)
from workbench.language.vocabulary import Vocabulary

Term = list[Any]
"""A term as JSON has it: `[op, arg, ...]`."""

MAX_BYTES: Final = 256 * 1024
"""Most bytes that the encoding of a term, as it was written, may have."""
MAX_FINDINGS: Final = 64
"""`find` stops here; whoever has more has other worries."""

POLICY_SLOTS: Final = ("filter", "rank", "select", "transform", "fallback")

_TITLE: Final = "not admitted"


class _Used(NamedTuple):
    """What a term, as it was written, takes up of the caps at most, and the names it was held against."""

    vocabulary: Vocabulary
    nodes: int
    depth: int
    size: int


class Admitted:
    """A term that has passed `check`: its source, its normal form, its names. Immutable; equal by version and encoding.

    The lists inside `source` and `normal` are the object's own copies; read them, never change them.
    """

    __slots__ = ("_fingerprint", "_identity", "encoding", "normal", "parts", "sort", "source", "used", "version")

    source: Term
    """The term as it was written."""
    normal: Term
    """Its normal form: the one that is evaluated."""
    sort: Sort
    version: Version
    encoding: str
    """Versioned, of the normal form."""
    parts: Any
    """Those of the form (`normal_form.Form`)."""
    used: _Used | None
    """None where it is part of a term that was admitted whole."""

    def __new__(cls) -> NoReturn:
        raise TypeError("an Admitted comes from `check` alone")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"`{name}` of an admitted term cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"`{name}` of an admitted term cannot be deleted")

    @property
    def fingerprint(self) -> str:
        """The cache key `h1-h2`."""
        if self._fingerprint is None:
            object.__setattr__(self, "_fingerprint", fingerprint(self.encoding.encode()))
        return cast("str", self._fingerprint)

    @property
    def identity(self) -> str:
        """SHA-256 of the encoding, hex."""
        if self._identity is None:
            object.__setattr__(self, "_identity", identity(self.encoding.encode()))
        return cast("str", self._identity)

    @property
    def short(self) -> str:
        """`pol_8f41c2`."""
        return short(self.identity)

    def slot(self, name: str) -> Admitted:
        """One slot of a policy, by its word in `POLICY_SLOTS`. Raises `ValueError` for another sort or word."""
        if self.sort != "Policy":
            raise ValueError(f"a {self.sort} has no slots")
        if name not in POLICY_SLOTS:
            raise ValueError(f"a policy has no slot `{name}`; it has {', '.join(POLICY_SLOTS)}")
        from_end = POLICY_SLOTS.index(name) - len(POLICY_SLOTS)
        form = cast("tuple[Form, ...]", self.parts)[from_end]
        source: Term = self.source[from_end]
        return _admitted(source, form, self.version)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Admitted):
            return NotImplemented
        return self.encoding == other.encoding

    def __hash__(self) -> int:
        return hash(self.encoding)

    def __copy__(self) -> Admitted:
        return self

    def __deepcopy__(self, memo: object) -> Admitted:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Admitted is not pickled; send its source and check it there")

    def __repr__(self) -> str:
        return f"<Admitted {self.sort} {self.short}>"


def _admitted(source: Term, form: Form, version: Version, used: _Used | None = None) -> Admitted:
    normal, encoded, parts = form
    made = object.__new__(Admitted)
    put = object.__setattr__
    put(made, "source", source)
    put(made, "normal", normal)
    put(made, "sort", OPS[normal[0]].sort)
    put(made, "version", version)
    put(made, "encoding", versioned(version, encoded))
    put(made, "parts", parts)
    put(made, "used", used)
    put(made, "_fingerprint", None)
    put(made, "_identity", None)
    return made


@dataclass(frozen=True, slots=True)
class _Entry:
    """An operation as one version has it, laid out for the walk."""

    op: Op
    name: str
    sort: Sort
    kinds: tuple[str, ...]
    """Of a variadic op the one kind that repeats."""
    leaf: bool
    """No argument is a sub-term."""
    checks: tuple[Callable[[Any, Names], Checked], ...]
    """Of a leaf, one for each parameter."""


@cache
def _operations(version: Version) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for name, op in operations(version).items():
        kinds = op.arguments(version)
        leaf = SORTS.isdisjoint(kinds)
        entries[name] = _Entry(op, name, op.sort, kinds, leaf, tuple(CHECKS[kind] for kind in kinds) if leaf else ())
    return entries


class _Walk:
    """One look at one term: what is allowed, and what is used up so far."""

    __slots__ = ("deepest", "left", "names", "operations", "size", "version")

    def __init__(self, names: Names, version: Version) -> None:
        self.names = names
        self.version: Version = version
        self.operations = _operations(version)
        self.left = MAX_NODES
        self.deepest = 0
        self.size = 0

    def head(self, term: Any, sort: str | None, depth: int) -> _Entry:
        """The operation of a term, whose arguments are all there; raises `Refusal`."""
        self.left -= 1
        if self.left < 0:
            raise Refusal("nodes", f"more than {MAX_NODES} sub-terms")
        if depth > self.deepest:
            if depth > MAX_DEPTH:
                raise Refusal("depth", f"deeper than {MAX_DEPTH} levels")
            self.deepest = depth
        items: Term = term
        if type(term) is not list or not items:
            raise no_term(term, sort)
        name = items[0]
        entry = self.operations.get(name) if type(name) is str else None
        if entry is None:
            raise self._unknown(name)
        if sort is not None and entry.sort != sort:
            raise Refusal("sort", f"expected a {sort} term, got {entry.sort}")
        given = len(items) - 1
        if 0 < given <= self.left if entry.op.variadic else given == len(entry.kinds):
            return entry
        if entry.op.variadic and given:
            raise Refusal("nodes", f"more than {MAX_NODES} sub-terms")
        raise miscounted(entry.op, entry.kinds, items)

    def _unknown(self, name: Any) -> Refusal:
        if type(name) is not str:
            return null() if name is None else Refusal("op", f"expected an op name, got {kind_of(name)}")
        known = OPS.get(name)
        if known is not None:
            return Refusal("op", f"unknown op {shown(name)}", f"only {' '.join(sorted(known.versions))} has it")
        return Refusal("op", f"unknown op {shown(name)}", did_you_mean(name, self.operations))

    def admit(self, term: Any, sort: str | None, depth: int) -> tuple[Term, Form]:
        """A copy of the source and its form; raises `Refusal` at the first thing that is wrong."""
        entry = self.head(term, sort, depth)
        if entry.leaf:
            return self._leaf(entry, term)
        name = entry.name
        source: Term = [name]
        args: list[Any] = []
        kinds = entry.kinds if len(entry.kinds) == len(term) - 1 else entry.kinds * (len(term) - 1)
        try:
            for kind in kinds:
                if kind in SORTS:
                    inner, form = self.admit(term[len(source)], kind, depth + 1)
                    source.append(inner)
                    args.append(form)
                else:
                    checked = CHECKS[kind](term[len(source)], self.names)
                    self.grow(checked[1])
                    source.append(checked[0])
                    args.append(checked)
        except Refusal as refusal:
            raise refusal.at(f".{name}[{len(source)}]") from None
        self.grow(name, 2 + len(args))
        return source, COMBINE[name](name, args)

    def _leaf(self, entry: _Entry, term: Any) -> tuple[Term, Form]:
        """An operation over parameters alone, which the normal form may complete but never reorders."""
        name = entry.name
        args: list[Checked] = []
        try:
            for check_parameter in entry.checks:
                args.append(check_parameter(term[len(args) + 1], self.names))
        except Refusal as refusal:
            raise refusal.at(f".{name}[{len(args) + 1}]") from None
        form = COMBINE[name](name, args)
        self.grow(form[1])
        return form[0], form

    def grow(self, encoded: str, around: int = 0) -> None:
        """Count an encoded piece, and the bytes `around` it: parentheses and a space before each argument."""
        self.size += around + (len(encoded) if encoded.isascii() else len(encoded.encode()))
        if self.size > MAX_BYTES:
            raise Refusal("size", f"more than {MAX_BYTES // 1024} KiB")

    def refusals(self, term: Any, sort: str | None, depth: int) -> Iterator[Refusal]:
        """Everything that is wrong, in the order `admit` would meet it."""
        try:
            entry = self.head(term, sort, depth)
        except Refusal as refusal:
            yield refusal
            return
        kinds = entry.kinds * (len(term) - 1) if entry.op.variadic else entry.kinds
        for index, kind in enumerate(kinds, 1):
            step = f".{entry.name}[{index}]"
            if kind in SORTS:
                for refusal in self.refusals(term[index], kind, depth + 1):
                    yield refusal.at(step)
            else:
                try:
                    self.grow(CHECKS[kind](term[index], self.names)[1])
                except Refusal as refusal:
                    yield refusal.at(step)
            if self.left < 0 or self.size > MAX_BYTES:
                return
        try:
            self.grow(entry.name, 2 + len(kinds))
        except Refusal as refusal:
            yield refusal


def version_of(term: object) -> Version:
    """The version a term speaks by the number of its slots: a policy of six is v1, everything else v2."""
    if type(term) is not list:
        return V2
    items = cast("Term", term)
    six_slots = len(items) == 1 + len(POLICY_SLOTS) + 1
    return V1 if six_slots and type(items[0]) is str and items[0] == "policy" else V2


def check(
    term: object, vocabulary: Vocabulary, *, version: Version | None = None, sort: Sort | None = None
) -> Admitted:
    """Admit a term: an `Admitted` of that sort (any, if None).

    `version` None goes by the number of a policy's slots. Raises `AdmissionError` with the first finding alone; its
    place has the path (`$.policy[1].is[1]`) and its code is one of `refusal.CODES`.
    """
    chosen: Version = version or version_of(term)
    walk = _Walk(names_of(vocabulary, chosen), chosen)
    try:
        source, form = walk.admit(term, sort, 1)
    except Refusal as refusal:
        found = refusal
    else:
        return _admitted(source, form, chosen, _Used(vocabulary, MAX_NODES - walk.left, walk.deepest, walk.size))
    raise AdmissionError(_TITLE, (found.finding(),))


def find(
    term: object, vocabulary: Vocabulary, *, version: Version | None = None, sort: Sort | None = None
) -> tuple[Finding, ...]:
    """Everything that keeps a term from being admitted, at most `MAX_FINDINGS`; empty where `check` admits it."""
    chosen: Version = version or version_of(term)
    refusals = _Walk(names_of(vocabulary, chosen), chosen).refusals(term, sort, 1)
    return tuple(refusal.finding() for refusal in islice(refusals, MAX_FINDINGS))


def assemble(filters: Sequence[Admitted], slots: Sequence[Admitted], vocabulary: Vocabulary) -> Admitted:
    """The v2 policy of parts that have been admitted: what `check` gives for the whole term, without a second walk.

    `filters` are Preds, and-ed in this order; `slots` the ranking, selector, transform and failure plan. Parts whose
    own walk does not speak for the whole (another vocabulary, a cap in reach) are walked again. Raises as `check` does.
    """
    every: Term = ["and", *(part.source for part in filters)]
    term: Term = ["policy", every, *(part.source for part in slots)]
    parts = (*filters, *slots)
    used = _used_by(
        parts, vocabulary, inside=2, own=_Used(vocabulary, 2, 2, _around("policy", 5) + _around("and", len(filters)))
    )
    sorts = [part.sort for part in parts]
    if used is None or not filters or sorts != ["Pred"] * len(filters) + ["Scorer", "Selector", "Xform", "FailPlan"]:
        return check(term, vocabulary, version=V2, sort="Policy")
    keep = COMBINE["and"]("and", [_form(part) for part in filters])
    form = COMBINE["policy"]("policy", [keep, *(_form(part) for part in slots)])
    return _admitted(term, form, V2, used)


def _around(op: str, args: int) -> int:
    """Bytes of an operation's own: its name, parentheses, a space before each argument."""
    return len(op) + 2 + args


def _form(part: Admitted) -> Form:
    return part.normal, part.encoding[len(part.version) + 1 :], part.parts


def _used_by(parts: Sequence[Admitted], vocabulary: Vocabulary, *, inside: int, own: _Used) -> _Used | None:
    """What a v2 term of these parts uses at most, each `inside` levels down; None where a walk has to say."""
    _, nodes, depth, size = own
    for part in parts:
        used = part.used
        if used is None or used.vocabulary is not vocabulary or part.version != V2:
            return None
        nodes += used.nodes
        depth = max(depth, used.depth + inside)
        size += used.size
    if nodes > MAX_NODES or depth > MAX_DEPTH or size > MAX_BYTES:
        return None
    return _Used(vocabulary, nodes, depth, size)


def compose(policy: Admitted, envelope: Admitted, vocabulary: Vocabulary) -> Admitted:
    """The policy with a host's own Pred and-ed onto its filter, admitted anew (LANGUAGE 8).

    Raises `ValueError` where the sorts are others, `AdmissionError` that names the envelope where the whole is not
    admitted, being too deep.
    """
    if policy.sort != "Policy" or envelope.sort != "Pred":
        raise ValueError("an envelope is a Pred around a Policy")
    place = POLICY_SLOTS.index("filter") - len(POLICY_SLOTS)
    term = list(policy.source)
    term[place] = ["and", envelope.source, term[place]]
    try:
        return check(term, vocabulary, version=policy.version, sort="Policy")
    except AdmissionError as error:
        found = error.findings[0]
        reason = f"with the host's envelope around its filter: {found.reason}"
        named = Finding(reason, found.code, found.place, "the host's envelope wraps every policy in one more level")
        raise AdmissionError(_TITLE, (named,)) from None
