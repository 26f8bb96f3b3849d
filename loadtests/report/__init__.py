"""What a run has found, as people read it: a table on the terminal, and a page that needs nothing but itself."""
