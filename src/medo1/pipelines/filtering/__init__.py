"""Keeps the chains worth training on, and records why the others were dropped."""
