"""One small server each. They obey the line `P RATE COUNT BATCH` on their input, say `UP` first and `DONE` after it."""
