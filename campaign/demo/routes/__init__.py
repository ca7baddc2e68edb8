"""The HTTP and WebSocket routes, one module per area; each turns a request into one call of a store."""
