"""The issuer: a process of its own that knows people and never a participant. The chat knows participants and never a person.

It imports nothing of the chat, and the chat nothing of it; no call runs between the two (docs/decisions/0040).
"""
