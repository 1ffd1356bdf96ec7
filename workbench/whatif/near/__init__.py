"""What it takes to admit an offer that is rejected: changed clauses, or changed facts."""
