"""Canaries under load: many children at once, some of whom hang up in mid-answer, and none may see another's
data.
"""
