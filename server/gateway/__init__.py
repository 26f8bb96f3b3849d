"""What sockets and HTTP share: admission into a view, and the way of a command from JSON to its acknowledgement."""
