"""Where the log and the fan-out meet: the open town halls of this node."""
