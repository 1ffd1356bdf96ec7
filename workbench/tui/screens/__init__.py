"""Whole screens and the small ones that lie over them."""
