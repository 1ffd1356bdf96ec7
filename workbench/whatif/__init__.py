"""What would happen if: questions over a workspace's state, each a pure function.

Screens and commands show the answers.
"""
