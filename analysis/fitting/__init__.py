"""A fit: sampled or integrated, summarised, stored."""
