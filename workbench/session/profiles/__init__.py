"""Named policies of a workspace: `profile:NAME` at the endpoint, each a policy_ir file or clause texts."""
