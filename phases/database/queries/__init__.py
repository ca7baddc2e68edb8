"""The part `queries`: the user's own statements against the real schema, and the plan of the slowest."""
