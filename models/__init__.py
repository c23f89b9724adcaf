"""What is believed before and after the data; nothing here samples, plots or touches a file."""
