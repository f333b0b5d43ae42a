"""What `kedro run` shows: a plan, one live line, a line for each stage that is done, and what was made."""
