"""Whether the content filter blocks what is not fit for a child, and nothing else, idle and under load."""
