"""Untrusted text made safe to show: what a terminal would obey or hide is replaced by a sign one can see.

Owns the list of such characters, and the comparison of names that only look alike. It refuses to guess at meaning: it
neither translates, trims nor strips, and it knows no markup (text from data goes into `Content` or `Text` objects).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_UNSAFE: Final = (
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F),  # C0 except tab and newline, DEL, C1
    (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F),
    (0x890, 0x891), (0x8E2, 0x8E2), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),  # zero width, line ends, bidi overrides and isolates
    (0x3164, 0x3164), (0xD800, 0xF8FF), (0xFDD0, 0xFDEF),  # filler, surrogates and private use, noncharacters
    (0xFE00, 0xFE0E), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
    (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0x1FFFE, 0x1FFFF), (0x2FFFE, 0x2FFFF), (0x3FFFE, 0x10FFFF),  # noncharacters, tags, selectors, private planes
)  # fmt: skip
"""Closed ranges of code points. U+FE0F (emoji presentation) is left alone: it is common in prose and hides nothing."""

_CLASS: Final = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in _UNSAFE)
_CONTROL: Final = re.compile(f"[{_CLASS}]")
_CONTROL_OR_BREAK: Final = re.compile(f"[\\t\\n{_CLASS}]")
_INVISIBLE: Final = re.compile(f"[\\ufe0f\\s{_CLASS}]")


def visible(text: str, *, limit: int | None = None) -> str:
    """Text for a place with several lines: newline and tab stay, all else that acts or hides becomes a sign.

    Escape becomes `␛`, a right-to-left override `⟨U+202E⟩`. At most `limit` characters come back, the last one `…` if
    text was cut. Applying it twice changes nothing.
    """
    return _shown(text, _CONTROL, limit)


def one_line(text: str, *, limit: int | None = None) -> str:
    """Text for a place with one line: as `visible`, and newline and tab become `␊` and `␉`."""
    return _shown(text, _CONTROL_OR_BREAK, limit)


def _shown(text: str, pattern: re.Pattern[str], limit: int | None) -> str:
    shown = text if limit is None else text[: limit + 1]
    if not shown.isprintable():
        shown = pattern.sub(_sign, shown)
    elif not shown.isascii():
        shown = _CONTROL.sub(_sign, shown)
    if limit is not None and len(shown) > limit:
        shown = shown[: limit - 1] + "…" if limit > 0 else ""
    return shown


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


_LOOKALIKES: Final = str.maketrans(
    # Cyrillic, Greek, Armenian and Latin letters that common fonts draw as the letter below; upper case separately,
    # because a capital may look like a Latin letter when its small form does not.
    "АВЕЅІЈКМНОРСТХҮԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "аеѕіјкорсухѵԁһӏԛԝ" + "αικνορυχϳγ" + "հոսօց" + "ıɡɑ",
    "ABESIJKMHOPCTXYQWABEZHIKMNOPTYX" + "aesijkopcyxvdhlqw" + "aikvopuxjy" + "hnuog" + "iga",
)


def confusable(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is not, but looks like; None where `name` is known or looks like none.

    Looks alike: equal after NFKC, a small table of Cyrillic, Greek and Armenian lookalikes, case folding, and without
    invisible characters and accents. It does not see `rn` for `m` or `0` for `o`, which ordinary names contain.
    """
    names = list(known)
    if name in names:
        return None
    skeleton = _skeleton(name)
    return next((other for other in names if _skeleton(other) == skeleton), None)


def _skeleton(name: str) -> str:
    if name.isascii() and name.isprintable():
        return name.casefold().replace(" ", "")
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).translate(_LOOKALIKES)
    spread = unicodedata.normalize("NFKD", plain.casefold().translate(_LOOKALIKES))
    return "".join(sign for sign in spread if not unicodedata.combining(sign)).translate(_LOOKALIKES)
