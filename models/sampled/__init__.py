"""The hierarchy as a PyMC model, in the form that the sampler takes."""
