"""Commands about what was decided and called before."""
