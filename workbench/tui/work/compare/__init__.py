"""Tenants side by side."""
