"""Importers: price lists as the world publishes them, joined with our own facts into a catalog file.

They read files and write a document; nothing is fetched, and nothing of the publishers' code is run.
"""
