"""Socket.IO over WebSocket: connections of our own for everybody; on them python-socketio speaks for the staff."""
