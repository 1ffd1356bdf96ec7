"""The words that panels show, as lines of cells. Drawn from views and drafts; nothing is decided here."""
