"""The audience in C, for tens of thousands of viewers and a frame for each message: compiled where there is gcc."""
