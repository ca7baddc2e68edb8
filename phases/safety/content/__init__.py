"""Whether the content filter blocks what is not fit for a child and lets through what is, idle and under load."""
