"""Several processes on one port: a parent that owns the store and watches, workers that serve."""
