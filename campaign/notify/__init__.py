"""Tells people outside what happens in a campaign, as it happens: messages to a webhook."""
