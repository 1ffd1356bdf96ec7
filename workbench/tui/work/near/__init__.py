"""Near misses and the winner's margin."""
