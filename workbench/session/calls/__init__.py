"""Test calls: one real call through a tenant's policy, quoted before, watched while it runs, recorded either way."""
