"""A finished campaign in every form that people and machines read; nothing here computes a verdict.

`document` turns a result into plain data and back. Each other module writes one form of it,
and `write` all of them into a folder. Text that came from the target is hostile: every form escapes it in
its own way.
"""
