"""No consent, no collection: every state of consent against every way to collect, and its revocation."""
