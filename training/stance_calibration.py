"""Fits what turns logits into probabilities that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from training.stance_scores import Labels
from workers.models.stance import Calibration, log_entropy

# The biases stay near zero unless the data are sure: dev sets are small.
_BIAS_PENALTY = 0.02
_STEPS = 200


def fit(logits: NDArray[np.float32], gold: Labels, weights: NDArray[np.float64]) -> Calibration:
    """Vector scaling with one temperature that depends on the entropy: the least weighted log loss,
    by L-BFGS.

    Logits (rows, 3); gold (rows); weights (rows), of any sum.
    """
    exact = logits.astype(np.float64)
    inputs, entropies = torch.tensor(exact), torch.tensor(log_entropy(exact))
    labels = torch.tensor(gold)
    shares = torch.tensor(weights / weights.sum())
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    power = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scale, power, bias], max_iter=_STEPS, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        hot = (scale + power * entropies).exp()
        each = torch.nn.functional.cross_entropy(
            inputs * hot[:, None] + bias, labels, reduction="none"
        )
        value = (each * shares).sum() + _BIAS_PENALTY * bias.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    centred = bias.detach() - bias.detach().mean()
    favor, against, neutral = (round(float(value), 4) for value in centred)
    return Calibration(
        round(scale.exp().item(), 4), (favor, against, neutral), round(power.item(), 4)
    )


def cross_fitted(
    logits: NDArray[np.float32], gold: Labels, weights: NDArray[np.float64], groups: Sequence[str]
) -> NDArray[np.float64]:
    """Probabilities (rows, 3) where each half of the texts is scaled by a fit to the other half.

    Rows of one text (`groups`) stay in one half. For honest calibration errors.
    """
    halves = {group: index % 2 for index, group in enumerate(sorted(set(groups)))}
    half = np.array([halves[group] for group in groups])
    probabilities = np.zeros(logits.shape)
    for side in (0, 1):
        fitted = fit(logits[half != side], gold[half != side], weights[half != side])
        probabilities[half == side] = fitted.apply(logits[half == side])
    return probabilities
