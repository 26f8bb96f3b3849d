"""What listens: it looks at the first request, answers for the built pages, and makes the connection one of ours or aiohttp's."""
