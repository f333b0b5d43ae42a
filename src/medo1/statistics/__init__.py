"""Statistics of arms: intervals, paired tests, votes and their expectations, stopping rules. Numbers in, numbers out.

- `intervals`, `strata`, `clusters`, `means`, `resampling`: a share, a mean, a weighted mean between its bounds;
- `paired`: two arms on the same questions, better or no worse; `families`: many such pairs, corrected, with intervals
  that agree; `groups`: arms that cannot be told apart; `power`: the smallest difference that would be found;
- `guessing`: an arm beside who states its letters without reading the questions;
- `calibration`: whether a score tells right from wrong; `frontier`: accuracy against cost;
- `sampling_variance`: error between questions and within; `vote_limits`: what votes can reach, pass@k;
- `votes`: several answers combined into one;
- `vote_curves`: the expected accuracy of k votes;
- `stopping`: when more votes are unlikely to change the outcome;
- `rules`: the parameters of votes and stopping (loads without numpy).
"""
