"""The screen of the real tenant base."""
