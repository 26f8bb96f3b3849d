"""What each role may see. `render` tells what the last entry changed, `snapshot` the whole; both as the same fragments."""
