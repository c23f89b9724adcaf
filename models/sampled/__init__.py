"""The hierarchy as a PyMC model: as one writes it, and in the form that the sampler takes."""
