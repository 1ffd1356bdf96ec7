"""The screen of health."""
