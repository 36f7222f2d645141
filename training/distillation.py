"""What a smaller model learns from a larger one.

After Hinton et al. 2015, "Distilling the Knowledge in a Neural Network".
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# The label of a row that nobody labelled; PyTorch's losses pass over it.
UNKNOWN = -100


def distillation_loss(
    logits: Tensor, labels: Tensor, taught: Tensor, config: dict[str, Any]
) -> Tensor:
    """Mean over the rows of what gold labels and the teacher say, `teacher_share` for the latter.

    Logits and `taught` (rows, classes), labels (rows). A row without a gold label has the teacher
    alone, a row that the teacher was not asked (NaN) its gold label alone.
    """
    hot = config["temperature"]
    asked = ~taught.isnan().any(-1)
    wanted = (taught.nan_to_num() / hot).softmax(-1)
    apart = nn.functional.kl_div((logits / hot).log_softmax(-1), wanted, reduction="none").sum(-1)
    right = nn.functional.cross_entropy(
        logits,
        labels,
        ignore_index=UNKNOWN,
        label_smoothing=config.get("label_smoothing", 0.0),
        reduction="none",
    )
    share = torch.where(labels == UNKNOWN, 1.0, config["teacher_share"]) * asked
    # The squared temperature keeps the gradient's size.
    return ((1 - share) * right + share * hot**2 * apart).mean()
