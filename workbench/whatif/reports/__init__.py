"""The answers in words: text, CSV and JSON of each, for commands and screens alike."""
