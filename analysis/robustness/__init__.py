"""How much hangs on the prior and on each study: the parts of that comparison."""
