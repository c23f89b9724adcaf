"""May this fit be believed? The guard's checks and its verdict."""
