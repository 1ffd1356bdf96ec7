"""Price against quality, and any other two figures: where the offers stand, and which of them nothing beats."""
