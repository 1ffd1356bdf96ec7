"""Who may call: bearer tokens kept as digests, what each may do, and how much of it."""
