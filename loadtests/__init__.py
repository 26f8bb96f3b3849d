"""A simulated audience, and its report. Knows only what travels: imports protocol alone."""
