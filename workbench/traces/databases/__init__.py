"""Where traces lie: one file, or a PostgreSQL server; above this folder nobody knows which."""
