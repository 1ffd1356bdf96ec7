"""The screen of the frontier."""
