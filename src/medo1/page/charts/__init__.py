"""Figures as SVG that needs no script and no style but the page's: the same on a screen, in the dark and on paper."""
