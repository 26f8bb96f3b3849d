"""Everything with I/O: the log, the fan-out, sockets, HTTP, admission, the command line."""
