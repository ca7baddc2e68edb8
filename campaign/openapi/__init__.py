"""What an OpenAPI document says of a service: its routes, and what a campaign file could say of them."""
