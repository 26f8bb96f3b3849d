"""`make bench`: the product and its peers side by side, in one run on one machine, and docs/performance.md from what was kept."""
