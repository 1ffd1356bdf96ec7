"""Traces of served calls: written around each, many at once."""
