"""Watching from the first second to the last: sources say what they see, one sampler asks them all."""
