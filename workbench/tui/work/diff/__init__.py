"""Whose decision a difference changes."""
