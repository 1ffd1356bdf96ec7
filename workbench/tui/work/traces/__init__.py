"""The screen of traces: the list, one of them in full, and its replay."""
