"""Tenant state and a rulebook become a policy; every clause keeps the rule and the facts that put it there."""
