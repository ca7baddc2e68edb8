"""The target's Redis as phases see it."""
