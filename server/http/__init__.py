"""HTTP, one concern a file."""
