"""A distribution of one rate: beta mixtures and what is asked of them."""
