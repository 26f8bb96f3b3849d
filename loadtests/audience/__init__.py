"""The simulated audience, a process of its own: `python -m loadtests.audience KEY=VALUE …`, or the C one in `native`.

Both take the same words and speak the same lines, so that whoever drives them need not know which it is.
Words: `host port path viewers rate namespace code run tickets` and, if wanted, `stall` (how many never read again once
they have joined), `deflate=1`, `tls=1`, `name` (the Host header). `tickets` is a file with one a line.
It says (JSON lines): `tick` four times a second, `joined` once everybody has tried, `counted` and `report` when asked.
It hears: `window` (count afresh), `count N S` (say `counted` once N messages came or S seconds passed), `report`; the end
of its input ends it.
"""
