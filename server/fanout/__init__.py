"""Encode once, write everywhere. Knows bytes, names, seqs and transports; nothing of the store or the rules."""
