"""The part `catalogue`.

What the schema itself shows: keys without an index, references without a foreign key, orphans.
"""
