"""The commands of the chat, a module a group. Those of the issuer are the issuer's: it knows nothing of the chat."""
