"""A town hall rehearsed by simulated people from the first message to the record, and a table that must add up."""
