"""What builds and checks this repository."""
