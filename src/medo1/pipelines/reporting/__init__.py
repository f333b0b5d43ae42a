"""Compares the arms: tables, figures and one page."""
