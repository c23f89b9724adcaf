"""What is drawn and tabulated: the numbers of a fit as tidy frames."""
