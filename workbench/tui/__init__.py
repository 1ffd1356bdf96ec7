"""The terminal app: renders the session's state and emits intentions."""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_FPS", "240")
"""Textual waits for its next frame before it repaints; at its 60 frames a second that alone is up to 16 ms a key."""
