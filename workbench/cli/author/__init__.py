"""Commands for those who write rulebooks and tenants."""
