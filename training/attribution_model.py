"""The attribution network: one encoder pass a window, one small pass a cue.

The encoder tags SOURCE, CUE and CONTENT words. For each cue the reader then looks
at the words around it, with that cue marked, and says of every word whether it
is this cue's source, its content or neither: nested, shared and discontinuous
spans need no special case.
"""

import torch
from torch import nn

from training.common import load_encoder
from workers.models.attribution import DISTANCE_BUCKETS, LINK_LABELS, TAG_LABELS


class TaggedEncoder(nn.Module):
    """(batch, length) ids → tag logits (batch, length, 7), features (batch, length, width)."""

    def __init__(self, width: int, dropout: float, attention_dropout: float | None) -> None:
        super().__init__()
        self.encoder = load_encoder(dropout=dropout, attention_dropout=attention_dropout)
        hidden = self.encoder.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(hidden, len(TAG_LABELS))
        self.project = nn.Linear(hidden, width)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        hidden = self.dropout(hidden)
        return self.tags(hidden), self.project(hidden)


class ReaderLayer(nn.Module):
    """A pre-norm transformer layer, written out so that it exports as plain matrix products."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        rows, words, width = states.shape
        mixed = self.query_key_value(self.norm_attention(states))
        query, key, value = (
            part.reshape(rows, words, self.heads, width // self.heads).transpose(1, 2)
            for part in mixed.chunk(3, dim=-1)
        )
        weights = (query @ key.transpose(2, 3)) * (width // self.heads) ** -0.5 + bias
        read = weights.softmax(-1) @ value
        states = states + self.dropout(self.out(read.transpose(1, 2).reshape(rows, words, width)))
        return states + self.dropout(self.feed(self.norm_feed(states)))


class CueReader(nn.Module):
    """Which words belong to one marked cue.

    features (rows, words, width), distances (rows, words) bucket numbers with the
    cue's own words in bucket 0, mask (rows, words) 1 for real words
    → logits (rows, words, 3).
    """

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.distance = nn.Embedding(DISTANCE_BUCKETS, width)
        nn.init.normal_(self.distance.weight, std=0.1)
        self.layers = nn.ModuleList(
            ReaderLayer(width, heads=6, dropout=dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.links = nn.Linear(width, len(LINK_LABELS))

    def forward(
        self, features: torch.Tensor, distances: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        bias = (1.0 - mask[:, None, None, :].to(features.dtype)) * -10000.0
        states = features + self.distance(distances)
        for layer in self.layers:
            states = layer(states, bias)
        logits: torch.Tensor = self.links(self.norm(states))
        return logits


class AttributionNetwork(nn.Module):
    """Both parts; they are exported apart."""

    def __init__(
        self, width: int, layers: int, dropout: float, attention_dropout: float | None = None
    ) -> None:
        super().__init__()
        self.tagged = TaggedEncoder(width, dropout, attention_dropout)
        self.reader = CueReader(width, layers, dropout)

    @property
    def encoder(self) -> nn.Module:
        return self.tagged.encoder
