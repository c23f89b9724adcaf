"""What is believed before the data: a prior, sets of priors, files, densities."""
