"""Takes many decisions with both evaluators and says in how many they disagreed.

    python -m tests.soak.decisions --count 200000 --seed 1

Each disagreement is shrunk and written to `tests/cases/`, where the tests run it from then on. `--digest` prints one
SHA-256 over all that was decided instead, for comparing interpreters, machines and hash seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tests.soak.judge import Tally, disagreements
from tests.soak.shrinking import shrunk, written
from tests.soak.worlds import Case, Round, as_context, rounds
from tests.strategies import SAMPLE
from workbench.boundary import strict_json
from workbench.engine.decide import decide
from workbench.engine.values import wire_number
from workbench.language.admission import check

CASES = Path(__file__).parent.parent / "cases"
EVERY = 10_000
"""Decisions between two lines of progress."""


def run(count: int, seed: int, *, say: bool = False) -> tuple[Tally, list[tuple[Case, tuple[str, ...]]]]:
    """Decides at least `count` times; what was met, and the first ten cases in which something differed."""
    tally, found = Tally(), list[tuple[Case, tuple[str, ...]]]()
    start, told = time.monotonic(), 0
    for case, one in _cases(seed):
        said = disagreements(case, one.pool, tally)
        tally.decisions += 1
        if said:
            tally.disagreements += 1
            if len(found) < 10:
                found.append((case, said))
        if say and tally.decisions - told >= EVERY:
            told = tally.decisions
            print(f"{told:,} decisions, {time.monotonic() - start:.0f} s, {tally.disagreements} differ", flush=True)  # noqa: T201
        if tally.decisions >= count:
            return tally, found
    return tally, found


def _cases(seed: int) -> Iterator[tuple[Case, Round]]:
    for one in rounds(seed):
        for case in one.cases():
            yield case, one


def digest(count: int, seed: int) -> str:
    """SHA-256 over order, scores and reasons of the first `count` decisions, encodings included."""
    total = hashlib.sha256()
    for case, one in islice(_cases(seed), count):
        policy = check(case.policy, SAMPLE, version=case.version)
        decision = decide(policy, one.pool, as_context(case.context))
        rejected = [[rejection.index, rejection.reason] for rejection in decision.rejected]
        scores = [wire_number(score) for score in decision.scores]
        total.update(strict_json.canonical([policy.identity, list(decision.order), scores, rejected]))
    return total.hexdigest()


def keep(case: Case, said: tuple[str, ...]) -> Path:
    """Shrinks a case and writes it where it always runs."""
    small = shrunk(case, lambda smaller: bool(disagreements(smaller)))
    text = written(small, disagreements(small) or said)
    path = CASES / f"decision-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """0 where nothing differed."""
    parser = argparse.ArgumentParser(prog="tests.soak.decisions", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--digest", action="store_true")
    options = parser.parse_args(arguments)
    if options.digest:
        print(digest(options.count, options.seed))  # noqa: T201
        return 0
    tally, found = run(options.count, options.seed, say=True)
    print(f"seed {options.seed}: {tally.decisions:,} decisions, {tally.disagreements:,} disagreements")  # noqa: T201
    print(f"{tally.ranked:,} of them put two candidates or more in order")  # noqa: T201
    for name, times in sorted(tally.seen.items()):
        print(f"  {times:>9,}  {name}")  # noqa: T201
    for case, said in found:
        print(f"{keep(case, said)}: {'; '.join(said)[:300]}")  # noqa: T201
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
