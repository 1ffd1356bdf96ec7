"""The canonical bytes of a term, and the names made from them: fingerprint, identity, short form (LANGUAGE 4).

Owns how numbers, strings, arrays, records and terms are written. It checks nothing: its callers hand it admitted
material, or parameters that `parameters` has just looked at.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from operator import mul
from typing import Any, Final, cast

from workbench.language.signature import OPS, SORTS, Version

EXACT_INTEGER: Final = 2**53
"""Integral values up to here are written in full."""

_SPECIAL: Final = re.compile(r'[\\"\n\r\t]')
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def encode_number(value: float) -> str:
    """A finite number as a double: 0 and -0 are `0`, integral values up to 2**53 in full, others as C's `%.17g`."""
    if type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return str(value)
    double = float(value)
    if -EXACT_INTEGER <= double <= EXACT_INTEGER and double.is_integer():
        return str(int(double))
    return f"{double:.17g}"


def encode_string(text: str) -> str:
    """A string in double quotes; only backslash, quote, newline, return and tab are escaped."""
    if _SPECIAL.search(text):
        text = text.translate(_ESCAPES)
    return f'"{text}"'


def encode_value(value: Any) -> str:
    """A parameter: string, number, boolean, array or record. Code point order of keys is their byte order in UTF-8."""
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        record = cast("dict[str, Any]", value)
        if not record:
            return "[]"
        return "{" + ",".join(f"{encode_string(key)}:{encode_value(record[key])}" for key in sorted(record)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode_value, cast("list[Any]", value))) + "]"
    return encode_number(value)


def encode(term: Sequence[Any]) -> str:
    """The unversioned encoding of an admitted term as it stands; normalize first for the canonical one."""
    op = OPS[term[0]]
    kinds = op.args * (len(term) - 1) if op.variadic else op.args
    if op.alternative is not None and len(term) - 1 == len(op.alternative):
        kinds = op.alternative
    parts = [encode(arg) if kind in SORTS else encode_value(arg) for kind, arg in zip(kinds, term[1:], strict=True)]
    return f"({' '.join([op.name, *parts])})"


def versioned(version: Version, body: str) -> str:
    """The encoding that fingerprints and identities are made of."""
    return f"{version}:{body}"


_BLOCK: Final = 512
_LOW: Final = (31, 2147483647)
_HIGH: Final = (37, 2147483629)


def _powers(base: int, modulus: int) -> tuple[int, ...]:
    """The weight of each byte of a block, the last byte's being 1."""
    return tuple(pow(base, exponent, modulus) for exponent in range(_BLOCK - 1, -1, -1))


_LOW_POWERS: Final = _powers(*_LOW)
_HIGH_POWERS: Final = _powers(*_HIGH)


def _roll(start: int, block: bytes, base_and_modulus: tuple[int, int], powers: tuple[int, ...]) -> int:
    """`h = (h * base + byte) % modulus` over a block, as one sum of products."""
    base, modulus = base_and_modulus
    weights = powers[_BLOCK - len(block) :]
    return (start * pow(base, len(block), modulus) + sum(map(mul, block, weights))) % modulus


def fingerprint(data: bytes) -> str:
    """The cache key `h1-h2` of encoded bytes: two polynomial hashes, for speed and not for security."""
    low, high = 5381, 52711
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        low = _roll(low, block, _LOW, _LOW_POWERS)
        high = _roll(high, block, _HIGH, _HIGH_POWERS)
    return f"{low}-{high}"


def identity(data: bytes) -> str:
    """The SHA-256 of encoded bytes, hex."""
    return hashlib.sha256(data).hexdigest()


def short(identity_hex: str) -> str:
    """The form for people: `pol_` and six hex digits."""
    return f"pol_{identity_hex[:6]}"
