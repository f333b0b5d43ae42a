"""Statistics of arms: intervals, paired tests, votes and their expectations, stopping rules. Numbers in, numbers out.

- `intervals`: a share or a mean of shares between its bounds;
- `paired`: two arms on the same questions, corrected for the number of pairs;
- `votes`: several answers combined into one;
- `vote_curves`: the expected accuracy of k votes;
- `stopping`: when more votes are unlikely to change the outcome;
- `rules`: the parameters of votes and stopping (loads without numpy).
"""
