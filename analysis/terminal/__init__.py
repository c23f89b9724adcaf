"""What the command line is made of: options, requests, printing."""
