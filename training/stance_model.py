"""The stance network: an encoder with four role embeddings and a pooled three-class head."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertModel

from training.mpnet import TypedMpnet
from workers.models.stance_inputs import HOLDER, TARGET

ROLES = 4


class StanceNetwork(nn.Module):
    """Logits for favor, against, neutral.

    The head reads four vectors: `[CLS]`, the mean of all tokens, the mean of the tokens
    marked as holder and of those marked as target (zeros where nothing is marked).
    """

    def __init__(self, encoder: BertModel | TypedMpnet, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.head = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(4 * width, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, 3),
        )

    @classmethod
    def from_mpnet(cls, folder: Path, dropout: float) -> StanceNetwork:
        """Loads pretrained MPNet and gives it role embeddings."""
        return cls(TypedMpnet(folder, dropout, ROLES), dropout)

    @classmethod
    def from_encoder(cls, folder: Path, dropout: float) -> StanceNetwork:
        """Loads the pretrained encoder and widens its token types to the four roles."""
        encoder = BertModel.from_pretrained(
            folder,
            add_pooling_layer=False,
            attn_implementation="sdpa",
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=0.0,
        ).float()
        old = encoder.embeddings.token_type_embeddings.weight.data
        new = torch.stack([old[0], old[1], old[0], old[0]])
        new[2:] += 0.02 * torch.randn(2, old.shape[1])
        encoder.embeddings.token_type_embeddings = nn.Embedding(ROLES, old.shape[1])
        encoder.embeddings.token_type_embeddings.weight.data.copy_(new)
        encoder.config.type_vocab_size = ROLES
        return cls(encoder, dropout)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Int64 ids, mask and roles, each (batch, length), to float logits (batch, 3)."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        pooled = [hidden[:, 0]]
        for chosen in (attention_mask, token_type_ids == HOLDER, token_type_ids == TARGET):
            weight = chosen.to(hidden.dtype).unsqueeze(-1)
            pooled.append((hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0))
        return self.head(torch.cat(pooled, dim=-1))
