"""The screen of test calls."""
