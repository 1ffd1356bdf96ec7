"""What runs: the operations of `reference` over numpy columns and masks, the same to the last bit.

Sums are taken child by child and never pairwise; a mask that neither request nor state can change is kept per pool.
"""

from workbench.engine.columnar.evaluator import evaluate, holds, sift
from workbench.engine.columnar.view import View

__all__ = ["View", "evaluate", "holds", "sift"]
