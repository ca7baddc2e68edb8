"""A small but real child-companion service, so that a campaign has something to run against.

Parents, children, verifiable consent, conversations with a content filter, search, statistics, export
and deletion, over HTTP and WebSocket; SQLite in a temporary folder, or PostgreSQL and Redis. Its faults
(see `defects`) are real ones, switched on by name. Start reading at `app`.

This package is a leaf: it imports nothing else of the project, and importing it loads no web framework.
"""
