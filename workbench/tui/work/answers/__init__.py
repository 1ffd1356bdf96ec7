"""Answers to what if on screen: the report that the command prints, as a table with a cursor."""
