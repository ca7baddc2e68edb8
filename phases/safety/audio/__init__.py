"""A child's voice is gone when it has served: recordings that occur once, looked for afterwards."""
