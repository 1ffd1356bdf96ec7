"""Other facts of a tenant, tried out."""
