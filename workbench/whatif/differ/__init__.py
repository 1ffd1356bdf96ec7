"""Two rulebooks, workspaces, revisions or catalogs, and what the difference decides."""
