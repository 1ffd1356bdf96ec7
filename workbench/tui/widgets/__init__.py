"""What every screen is drawn with: cells, columns, the one table, blocks of lines. Knows nothing of policies."""
