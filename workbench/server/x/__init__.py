"""What the endpoint answers beside model calls: each answer a pure function of the workspace and what was asked."""
