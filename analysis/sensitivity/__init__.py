"""How much hangs on the prior, and how much on each study."""
