"""What a running campaign tells Prometheus: an endpoint of ours, fed by events and by the monitor."""
