"""The part `recovery`.

Connections killed, server restarted or frozen: errors, time to healthy, acknowledged writes lost.
"""
