"""The pages of docs/reference that are written from the tables and definitions in the code."""
