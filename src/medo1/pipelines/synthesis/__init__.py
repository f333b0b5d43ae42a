"""Teachers write chains: reasoning and a final answer for each training question, in a format."""
