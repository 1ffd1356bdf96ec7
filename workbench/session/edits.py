"""What a person can do to a state: one frozen intention per kind of edit, applied purely.

An edit has a scope. `rule` changes the rulebook and so every tenant that the rule applies to; `tenant` changes one
tenant only and is kept in that tenant's file as an override.

    edit.apply(state) -> WorkspaceState      raises ClauseError (half-typed text) or EditRefused
    edit.title                               what undo says
"""
