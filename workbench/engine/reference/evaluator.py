"""Filter, score, select: the three steps of a decision, over the normal form of an admitted policy."""

from __future__ import annotations

from workbench.engine.context import Context
from workbench.engine.decision import Decision, assemble
from workbench.engine.pool import Pool
from workbench.engine.reference.fields import Candidate, Scene
from workbench.engine.reference.predicates import Term, verdict
from workbench.engine.reference.scorers import scores
from workbench.engine.reference.selectors import Ranked, select
from workbench.language.admission import Admitted


def scene_of(term: Admitted, pool: Pool, context: Context) -> Scene:
    """What an observation made for this term may look at."""
    return Scene(pool.vocabulary, term.version, context)


def evaluate(policy: Admitted, pool: Pool, context: Context) -> Decision:
    """The decision; see `decide`."""
    keep, scorer, selector = policy_parts(policy)
    scene = scene_of(policy, pool, context)
    reasons = [verdict(keep, candidate, scene) for candidate in pool.candidates]
    survivors = [index for index, reason in enumerate(reasons) if reason is None]
    population = [pool.candidates[index] for index in survivors]
    values = scores(scorer, population, scene)
    ranked = [Ranked(*entry) for entry in zip(survivors, population, values, strict=True)]
    chosen = select(selector, ranked, scene)
    return assemble([entry.place for entry in chosen], [entry.score for entry in chosen], reasons)


def policy_parts(policy: Admitted) -> tuple[Term, Term, Term]:
    """Filter, scorer and selector of the normal form; v1's evidence comes before them and decides nothing."""
    keep, scorer, selector = policy.normal[-5:-2]
    return keep, scorer, selector


def holds(predicate: Admitted, candidate: Candidate, pool: Pool, context: Context) -> str | None:
    """None where the predicate holds for the candidate, else its reason."""
    return verdict(predicate.normal, candidate, scene_of(predicate, pool, context))
