"""The rows of the bench, a file for each kind: what is measured, and of whom. `every` has them all."""
