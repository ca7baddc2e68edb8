"""The part `workload`: how fast the database answers a child-companion service's statements, in tables of our own."""
