"""Fits what turns logits into probabilities that mean what they say, and where to abstain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.stance_data import NEUTRAL
from training.stance_scores import Labels, risk_coverage
from workers.models.stance import Calibration, log_entropy

# The biases stay near zero unless the data are sure: dev sets are small.
_BIAS_PENALTY = 0.02
_STEPS = 200
# Thresholds that are tried: a little more than one in three labels, to nearly certain.
_LOWEST, _HIGHEST = 0.4, 0.96


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


def confidence_threshold(
    sets: Mapping[str, tuple[NDArray[np.float64], Labels]], precision: float
) -> tuple[float, dict[str, Any]]:
    """The lowest confidence from which on favor and against are right in `precision` of the cases.

    Neutral answers do not count: where they are common they are easily right. The precision is
    the mean over the sets, so that none counts more for being large. Returns the threshold and,
    per set, precision there and coverage (of all answers that take a side).
    """
    curves = {}
    for name, (probabilities, gold) in sets.items():
        labels = probabilities.argmax(axis=1)
        sided = labels != NEUTRAL
        confidence = probabilities.max(axis=1)[sided]
        curves[name] = risk_coverage(confidence, (labels == gold)[sided])
    chosen = _LOWEST
    for threshold in np.arange(_LOWEST, _HIGHEST, 0.01):
        chosen = round(float(threshold), 2)
        at = [_point(curve, chosen)["precision"] for curve in curves.values()]
        if np.mean(at) >= precision:
            break
    return chosen, {name: _point(curve, chosen) for name, curve in curves.items()}


def _point(curve: Sequence[tuple[float, float, float]], threshold: float) -> dict[str, float]:
    kept = [point for point in curve if point[0] >= threshold]
    if not kept:
        return {"coverage": 0.0, "precision": 1.0}
    _, coverage, risk = kept[-1]
    return {"coverage": round(coverage, 4), "precision": round(1.0 - risk, 4)}
