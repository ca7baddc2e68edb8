"""The part `recovery`: connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost."""
