"""What several processes of the endpoint have in common: limits, budgets, health; kept in one, or by a server."""
