"""What is said of results: captions, numbers, the command that reproduces them."""
