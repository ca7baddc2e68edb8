"""Data are not kept for ever, no more is asked for than is needed, nothing personal is kept undeclared."""
