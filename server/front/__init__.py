"""What listens: it looks at the first request only, and makes the connection one of ours or aiohttp's."""
