"""The demo town hall: a province's eight departments, and a crowd that chats."""
