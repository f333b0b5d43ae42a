"""Statistics of arms: intervals, paired tests, votes and their expectations, stopping rules. Numbers in, numbers out.

- `intervals`: a share or a mean of shares between its bounds;
- `paired`: two arms on the same questions, corrected for how many pairs are looked at;
- `votes`: several answers made one;
- `vote_curves`: the expected accuracy of k votes;
- `stopping`: when more votes can hardly change the outcome;
- `rules`: what can be chosen about votes and their end (loads without numpy).
"""
