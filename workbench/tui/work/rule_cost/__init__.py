"""What clauses cost."""
