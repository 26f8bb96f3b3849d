"""The rules of a town hall: pure. No I/O, clock, randomness or Redis."""
