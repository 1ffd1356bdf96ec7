"""Tenants beside offers: the place, or the rule that says no, for every pair."""
