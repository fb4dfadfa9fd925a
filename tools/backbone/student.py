"""graft-mini with the heads that only pretraining needs, and their losses."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from batches import Batch

# Weights of the losses. Masked-language modelling starts at ln(7400) = 8.9 and ends near 3, a cosine distance starts at 1.
WEIGHTS = {"mlm": 1.0, "mean": 3.0, "pooler": 3.0, "word": 3.0, "similarity": 0.5, "lexicon": 1.0}
TEMPERATURE = 0.05


def cosine_distance(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return 1 - F.cosine_similarity(predicted.float(), target.float(), dim=-1).mean()


class Student(nn.Module):
    """The encoder, a masked-language head tied to its embedding, and projections to the teacher's width."""

    def __init__(self, config: BertConfig, teacher_width: int):
        super().__init__()
        hidden = config.hidden_size
        self.encoder = BertModel(config)
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.decoder_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.mean_projection = nn.Linear(hidden, teacher_width)
        self.pooler_projection = nn.Linear(hidden, teacher_width)
        self.word_projection = nn.Linear(hidden, teacher_width)
        self.lexicon_projection = nn.Linear(hidden, teacher_width)

    @property
    def embedding(self) -> torch.Tensor:
        return self.encoder.embeddings.word_embeddings.weight

    def masked_language_loss(self, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy at the masked positions alone: the vocabulary product is the dearest of all."""
        chosen = labels >= 0
        logits = F.linear(self.transform(states[chosen]), self.embedding) + self.decoder_bias
        return F.cross_entropy(logits.float(), labels[chosen])

    def forward(self, batch: Batch):
        """Token states `[B, T, hidden]` and pooler outputs `[B, hidden]`."""
        output = self.encoder(batch.ids, attention_mask=batch.attention, token_type_ids=batch.type_ids)
        return output.last_hidden_state, output.pooler_output

    def distillation_losses(
        self,
        batch: Batch,
        states: torch.Tensor,
        pooled: torch.Tensor,
        sentences: torch.Tensor,
        word_states: np.ndarray,
        word_mean: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Losses against the teacher's sentence embeddings `[B, W]` and word states (a memory map `[words, W]`)."""
        weights = batch.attention.unsqueeze(-1)
        mean = self.mean_projection((states * weights).sum(1) / weights.sum(1)).float()
        losses = {
            "mean": cosine_distance(mean, sentences),
            "pooler": cosine_distance(self.pooler_projection(pooled), sentences),
        }
        inside = batch.words >= 0
        rows, place = torch.unique(batch.words[inside], return_inverse=True)
        pieces = torch.bincount(place).unsqueeze(-1)
        words = torch.zeros(len(rows), states.shape[-1]).index_add(0, place, states[inside].float()) / pieces
        target = torch.from_numpy(word_states[rows.numpy()]).float() - word_mean
        losses["word"] = cosine_distance(self.word_projection(words), target)
        if len(sentences) > 1:
            # Relations within the batch: whom each sentence resembles, itself left out.
            own = F.normalize(mean, dim=-1)
            diagonal = torch.eye(len(own), dtype=torch.bool)
            student = (own @ own.T / TEMPERATURE).masked_fill(diagonal, -1e4)
            teacher = (sentences @ sentences.T / TEMPERATURE).masked_fill(diagonal, -1e4)
            losses["similarity"] = F.kl_div(
                student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="batchmean"
            )
        return losses

    def lexicon_loss(self, own: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Embeddings of tokens that both vocabularies hold, against the teacher's (centred) embedding."""
        return cosine_distance(self.lexicon_projection(self.embedding[own]), target)
