"""The way there and what lies beside it: TLS, redirects, headers, cookies, other sites, errors, logs."""
