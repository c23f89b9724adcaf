"""Where independent tasks run: this machine, or as many as there are."""
