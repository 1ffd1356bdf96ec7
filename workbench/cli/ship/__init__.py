"""Commands that carry a policy out of the workbench."""
