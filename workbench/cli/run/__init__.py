"""Commands that make calls, serve them, and look at what happened."""
