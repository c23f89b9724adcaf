"""The local page: priors, evidence and designs, moved and answered at once."""
