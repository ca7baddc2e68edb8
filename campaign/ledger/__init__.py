"""What was acknowledged, written down before anything relies on it, and compared with what is there."""
