"""The specification of sigma-pol's meaning in Python: one small function per operation, a candidate at a time.

Written to be read beside LANGUAGE.md 5 and 6, and never to be fast: `columnar` is what runs, and must agree with this
to the last bit. Nothing here imports numpy but through the decision that it returns.
"""

from workbench.engine.reference.evaluator import evaluate, holds, scene_of

__all__ = ["evaluate", "holds", "scene_of"]
