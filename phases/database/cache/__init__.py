"""The part `cache`: how fast Redis answers, and what it says of the target's own keys."""
