"""Bulk runs of the laws: seeded streams of whole decisions, counted and compared."""
