"""MPNet with token types, which it was not pretrained with, weights on a four-bit grid, and what
makes it train faster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MPNetModel

# Weights of one scale. ONNX Runtime's blocks may have 16, 32, 64, 128 or 256.
BLOCK = 64


class TypedMpnet(nn.Module):
    """MPNet (Song et al. 2020) with `types` learned vectors, one for each token type.

    They start near zero and are added to the word embeddings, before MPNet's layer norm. With
    `layers` only the lowest ones are kept.
    """

    def __init__(self, folder: Path, dropout: float, types: int, layers: int | None = None) -> None:
        super().__init__()
        self.mpnet = MPNetModel.from_pretrained(
            folder,
            add_pooling_layer=False,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=0.0,
        ).float()
        if layers is not None:
            self.mpnet.encoder.layer = self.mpnet.encoder.layer[:layers]
            self.mpnet.config.num_hidden_layers = layers
        self.config = self.mpnet.config
        # Named for what stance asks of them; shipped graphs have the name.
        self.roles = nn.Embedding(types, self.config.hidden_size)
        nn.init.normal_(self.roles.weight, std=0.02)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Any:
        """As `BertModel`: the output has `last_hidden_state`, (batch, length, width)."""
        words = self.mpnet.embeddings.word_embeddings(input_ids)
        return self.mpnet(
            inputs_embeds=words + self.roles(token_type_ids), attention_mask=attention_mask
        )


@torch.no_grad()
def four_bits(weight: Tensor) -> Tensor:
    """The nearest weights of ONNX Runtime's symmetric four-bit blocks along the last axis.

    A block's scale makes its largest weight, with its sign, -8 steps; so the result stays as it is
    when it is rounded again. Raises ValueError unless the last axis is whole blocks.
    """
    if weight.shape[-1] % BLOCK:
        raise ValueError(f"{weight.shape[-1]} weights are no whole blocks of {BLOCK}")
    blocks = weight.reshape(-1, BLOCK)
    largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = largest / -8
    steps = torch.where(scale == 0, 0, blocks / torch.where(scale == 0, 1, scale))
    return (steps.round().clamp(-8, 7) * scale).reshape(weight.shape)


class FourBitLinear(nn.Linear):
    """A linear layer that, while `rounded`, computes with the nearest four-bit weights.

    Gradients pass the rounding unchanged (straight-through, Bengio et al. 2013).
    """

    rounded = False

    def forward(self, states: Tensor) -> Tensor:
        weight = self.weight
        if self.rounded:
            weight = weight + (four_bits(weight) - weight).detach()
        return nn.functional.linear(states, weight, self.bias)


class ByteDropout(nn.Dropout):
    """Dropout that draws a random byte for each state: one call of the generator for eight states.

    PyTorch draws them one by one on one core, which took a seventh of a training step. The rate is
    rounded to a multiple of 1/256.
    """

    def forward(self, states: Tensor) -> Tensor:
        dropped = round(self.p * 256)
        if not self.training or not dropped:
            return states
        words = torch.empty(-(-states.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: states.numel()].view(states.shape) >= dropped
        return states * (kept.to(states.dtype) * (256 / (256 - dropped)))


def with_byte_dropout(model: nn.Module) -> None:
    """Makes every `Dropout` of a model a `ByteDropout`."""
    for part in model.modules():
        if type(part) is nn.Dropout:
            part.__class__ = ByteDropout


def with_four_bit_feed(encoder: TypedMpnet) -> None:
    """Makes the feed-forward layers, two thirds of a layer's weights, `FourBitLinear`, and moves
    the word embeddings onto the grid, where they stay: they are not trained."""
    for layer in encoder.mpnet.encoder.layer:
        for part in (layer.intermediate, layer.output):
            part.dense.__class__ = FourBitLinear
    words = encoder.mpnet.embeddings.word_embeddings.weight
    words.data.copy_(four_bits(words.data))
    words.requires_grad = False


def round_feed(encoder: TypedMpnet, rounded: bool) -> None:
    """Turns the rounding of every `FourBitLinear` on or off."""
    for part in encoder.modules():
        if isinstance(part, FourBitLinear):
            part.rounded = rounded
