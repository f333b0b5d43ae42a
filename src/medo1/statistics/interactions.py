"""Does a difference between two arms change with the scale of the model? A binomial mixed model, and where it crosses.

    logit p = a + b z + (c + d z) arm + u + v arm        z: log2 of the scale, centred; u, v ~ normal, one pair a run

`d` is the interaction: how much the arm's advantage, in log odds, grows with each doubling. `u` and `v` are what a
training run adds to both arms and to their difference. The likelihood is Laplace's approximation of the integral over
them (Breslow and Clayton 1993). Intervals come from a parametric bootstrap: data drawn from the fitted model and fitted
again (Efron and Tibshirani 1993, chapter 6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medo1.statistics.intervals import Interval

if TYPE_CHECKING:
    import numpy as np

LEAST_SPREAD, MOST_SPREAD = -4.0, 1.5  # of log standard deviations
STEP = 1e-4  # of the gradient, by central differences
SEEN = 0.95  # share of bootstrap draws in which a crossing must lie between the measured scales


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """What two arms of one run came to on the same questions.

    Attributes:
        scale: of the run, such as the weights of its model.
        right, right_against: right answers of the arm, and of the one that it is held against.
        questions: how many were asked.
    """

    scale: float
    right: int
    right_against: int
    questions: int


@dataclass(frozen=True, slots=True)
class Interaction:
    """How an advantage changes with scale.

    Attributes:
        slope: change of the advantage in log odds with each doubling of the scale.
        p_value: two-sided, of no change, by the bootstrap's spread.
        crossing: the scale at which the arms are equal; None where no crossing was seen.
        crosses: share of bootstrap draws in which the arms cross between the least and the greatest scale.
        runs: how many runs it rests on.
    """

    slope: Interval
    p_value: float
    crossing: Interval | None
    crosses: float
    runs: int


def interaction(
    counts: Sequence[PairedCounts], confidence: float = 0.95, draws: int = 100, seed: int = 0
) -> Interaction:
    """The interaction of two arms with scale.

    Args:
        counts: one a run, on at least two scales.
        confidence: level of the intervals.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than three runs, or one scale only.
    """
    import numpy as np
    from scipy.stats import norm

    if len(counts) < 3 or len({one.scale for one in counts}) < 2:  # noqa: PLR2004
        raise ValueError(
            f"{len(counts)} runs on {len({one.scale for one in counts})} scales: at least three on two are needed"
        )
    logs = np.log2([one.scale for one in counts])
    centre = float(logs.mean())
    z = logs - centre
    asked = np.array([one.questions for one in counts], dtype=float)
    right = np.array([[one.right_against, one.right] for one in counts], dtype=float)
    fitted = _fit(z, right, asked)
    rng = np.random.default_rng(seed)
    slopes, crossings = [], []
    for _ in range(draws):
        again = _fit(z, _drawn(fitted, z, asked, rng), asked, start=fitted)
        slopes.append(again[3])
        crossings.append(-again[2] / again[3] if again[3] else math.inf)
    tail = (1 - confidence) / 2
    # The basic bootstrap: the draws' spread around the fitted value, turned around it.
    low, high = (float(2 * fitted[3] - np.quantile(slopes, share)) for share in (1 - tail, tail))
    spread = float(np.std(slopes, ddof=1))
    inside = [z.min() <= one <= z.max() for one in crossings]
    at = -fitted[2] / fitted[3] if fitted[3] else math.inf
    seen = float(np.mean(inside)) >= SEEN and z.min() <= at <= z.max()
    crossing = None
    if seen:
        ends = np.quantile(crossings, [tail, 1 - tail])
        crossing = Interval(*(float(2 ** (centre + value)) for value in (at, *ends)))
    p_value = float(2 * norm.sf(abs(fitted[3]) / spread)) if spread > 0 else 1.0
    return Interaction(Interval(float(fitted[3]), low, high), p_value, crossing, float(np.mean(inside)), len(counts))


def _fit(z: np.ndarray, right: np.ndarray, asked: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """The four coefficients and the log standard deviations of u and v."""
    import numpy as np
    from scipy.optimize import minimize

    if start is None:
        shares = (right.sum(axis=0) + 0.5) / (asked.sum() + 1)
        logits = np.log(shares / (1 - shares))
        start = np.array([logits[0], 0.0, logits[1] - logits[0], 0.0, -1.5, -1.5])
    steps = np.vstack([np.zeros(6), STEP * np.eye(6), -STEP * np.eye(6)])

    def loss_and_gradient(theta: np.ndarray) -> tuple[float, np.ndarray]:
        losses = _losses(theta + steps, z, right, asked)
        return float(losses[0]), (losses[1:7] - losses[7:]) / (2 * STEP)

    bounds = [(-12.0, 12.0)] * 4 + [(LEAST_SPREAD, MOST_SPREAD)] * 2
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds)
    best: np.ndarray = found.x
    return best


def _losses(thetas: np.ndarray, z: np.ndarray, right: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The negative log likelihood of several parameters at once, Laplace's approximation, without constants.

    Args:
        thetas: parameters, one set a row.
        z, right, asked: of each run.
    """
    import numpy as np

    a, b, c, d, log_u, log_v = (column[:, None] for column in thetas.T)
    base, arm = a + b * z, a + b * z + c + d * z
    tau_u, tau_v = np.exp(-2 * log_u), np.exp(-2 * log_v)
    u, v = np.zeros_like(base), np.zeros_like(base)
    for _ in range(30):
        p0, p1 = _share(base + u), _share(arm + u + v)
        g_v = right[:, 1] - asked * p1
        g_u = right[:, 0] - asked * p0 + g_v - tau_u * u
        g_v = g_v - tau_v * v
        w0, w1 = asked * p0 * (1 - p0), asked * p1 * (1 - p1)
        huu, huv, hvv = w0 + w1 + tau_u, w1, w1 + tau_v
        det = huu * hvv - huv**2
        step_u, step_v = (hvv * g_u - huv * g_v) / det, (huu * g_v - huv * g_u) / det
        longest = np.maximum(1.0, np.maximum(abs(step_u), abs(step_v)))  # damped: never more than 1 at once
        u, v = u + step_u / longest, v + step_v / longest
        if max(abs(step_u).max(), abs(step_v).max()) < 1e-9:  # noqa: PLR2004
            break
    eta0, eta1 = base + u, arm + u + v
    likely = right[:, 0] * eta0 - asked * np.logaddexp(0, eta0) + right[:, 1] * eta1 - asked * np.logaddexp(0, eta1)
    prior = -0.5 * (tau_u * u**2 + tau_v * v**2) - log_u - log_v
    p0, p1 = _share(eta0), _share(eta1)
    w0, w1 = asked * p0 * (1 - p0), asked * p1 * (1 - p1)
    det = (w0 + w1 + tau_u) * (w1 + tau_v) - w1**2
    found: np.ndarray = -(likely + prior - 0.5 * np.log(det)).sum(axis=1)
    return found


def _drawn(theta: np.ndarray, z: np.ndarray, asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Right answers drawn from the model."""
    import numpy as np

    a, b, c, d, log_u, log_v = theta
    u = rng.normal(0, math.exp(log_u), len(z))
    v = rng.normal(0, math.exp(log_v), len(z))
    base = a + b * z + u
    shares = np.stack([_share(base), _share(base + c + d * z + v)], axis=1)
    return rng.binomial(asked.astype(int)[:, None], shares).astype(float)


def _share(logit: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(logit)
    return found
