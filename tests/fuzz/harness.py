"""Runs a target under atheris, and turns bytes into the choices of a seeded generator.

    python -m tests.fuzz.fuzz_clause -runs=100000
    python -m tests.fuzz.fuzz_json -max_total_time=60

Everything after the module's name is libFuzzer's. Without a folder of one's own, the inputs in `corpus/` are where it
starts; what it learns goes into a temporary folder and never into the tree. Needs the extra `fuzz`.
"""

from __future__ import annotations

import sys
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
MEASURED = ["workbench", "tomllib"]
"""The packages whose branches guide the search."""


def measured(module: str) -> AbstractContextManager[Any]:
    """Imports inside it are instrumented where `module` is the program that runs, and plain in a test."""
    return import_module("atheris").instrument_imports(include=MEASURED) if module == "__main__" else nullcontext()


def fuzz(name: str, one_input: Callable[[bytes], None]) -> None:
    """Hands the process over to libFuzzer; it ends it."""
    atheris: Any = import_module("atheris")
    own = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    scratch = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    folders = [] if own else [str(scratch), str(CORPUS / name)]
    prefix = [] if any(word.startswith("-artifact_prefix") for word in sys.argv) else [f"-artifact_prefix={scratch}/"]
    atheris.Setup([*sys.argv, *prefix, *folders], one_input)
    atheris.Fuzz()


class ByteRandom(Random):
    """A generator whose draws are the bytes of an input, and 0 when they are used up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._left = iter(data)

    def getrandbits(self, k: int, /) -> int:
        value = 0
        for _ in range((k + 7) // 8):
            value = value << 8 | next(self._left, 0)
        return value & ((1 << k) - 1)

    def random(self) -> float:
        return self.getrandbits(16) / 65536


def well_worded(text: str) -> bool:
    """Whether a terminal shows the words of an error as they are."""
    return len(text) <= 512 and not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in text)


def inputs(name: str, random: Random, count: int) -> Sequence[bytes]:
    """The corpus of a target, and `count` inputs beside it: splices of the corpus, and noise."""
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    made: list[bytes] = []
    for _ in range(count):
        data = bytearray(random.choice(seeds) if random.random() < 0.8 else random.randbytes(random.randrange(80)))
        for _ in range(random.randrange(6)):
            at = random.randrange(len(data) + 1)
            other = random.choice(seeds)
            start = random.randrange(len(other) + 1)
            match random.randrange(3):
                case 0:
                    data[at : at + random.randrange(4)] = random.randbytes(random.randrange(4))
                case 1:
                    data[at:at] = other[start : start + random.randrange(30)]
                case _:
                    del data[at : at + random.randrange(12)]
        made.append(bytes(data))
    return [*seeds, *made]
