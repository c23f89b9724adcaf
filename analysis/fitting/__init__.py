"""How a fit is made: sampled or integrated, summarised, stored."""
