"""Declared studies: a grid of runs, what is compared in it and what is predicted, written down before the first run."""
