"""By how much a winner leads, and what would end that."""
