"""The traces of a workspace: where they are, what was decided, and the same decided again.

Shows what the store holds; makes no call and draws nothing.
"""

from workbench.session.tracing.opened import Traces
from workbench.session.tracing.places import default_place, place_for, place_of, shown_place

__all__ = ["Traces", "default_place", "place_for", "place_of", "shown_place"]
