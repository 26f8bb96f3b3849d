"""Socket.IO: handshake, heartbeats and acknowledgements by python-socketio, behind a guard; frames by the fan-out."""
