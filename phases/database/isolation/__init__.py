"""The part `isolation`: the ten anomalies at each level that the database offers, idle and under load."""
