"""The training loop of the proposal network: minutes on one core, so it starts anew each time."""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss
from tqdm import tqdm

from fer_gateway.contract import Frozen
from fer_gateway.vision.align import Grey
from fer_training.crops.shuffle import prefetched
from fer_training.proposals.network import ProposalNet
from fer_training.proposals.views import random_view


class ProposalConfig(Frozen):
    """Everything but the data; the defaults are those of the shipped network."""

    width: int = Field(default=12, ge=4)
    steps: int = Field(default=3500, ge=1)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=8e-3, gt=0)
    weight_decay: float = Field(default=1e-3, ge=0)
    seed: int = 0


Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def train(faces: Sequence[Grey], grounds: Sequence[Grey], config: ProposalConfig) -> ProposalNet:
    """Train on random views of `faces` (S x S each) on `grounds`; the network in evaluation mode."""
    torch.manual_seed(config.seed)
    network: ProposalNet = ProposalNet(config.width)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps, pct_start=0.1
    )
    lost = 0.0
    bar = tqdm(_batches(faces, grounds, config), total=config.steps, mininterval=1, disable=None)
    for step, batch in enumerate(bar, start=1):
        loss = _loss(network, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        lost += float(loss.detach())
        if step % 250 == 0:
            tqdm.write(f"step {step}: mean loss {lost / 250:.4f}", file=sys.stderr)
            lost = 0.0
    return network.eval()


def _batches(faces: Sequence[Grey], grounds: Sequence[Grey], config: ProposalConfig) -> Iterator[Batch]:
    def batch(step: NDArray[np.int64]) -> Batch:
        random = np.random.default_rng((config.seed, int(step[0])))
        views = [random_view(faces, grounds, random) for _ in range(config.batch_size)]
        return (
            np.stack([view.pixels for view in views])[:, None],
            np.stack([view.target for view in views]),
            np.stack([view.shifts for view in views]),
        )

    return prefetched(batch, list(np.arange(config.steps)[:, None]))


def _loss(network: ProposalNet, batch: Batch) -> Tensor:
    """Focal loss of the scores (Lin et al. 2017) and a smooth L1 loss of the shifts where faces are."""
    pixels, target, shifts = (torch.from_numpy(part) for part in batch)
    scores, moved = network(pixels.contiguous(memory_format=torch.channels_last))
    counts = target >= 0
    plain = binary_cross_entropy_with_logits(scores, target.clamp(min=0), reduction="none")
    share = torch.sigmoid(scores.detach())
    hard = torch.where(target > 0, 1 - share, share) ** 2
    positive = (target > 0).float()
    wanted = positive.sum().clamp(min=1)
    focal = (hard * plain * counts).sum() / wanted
    where = positive.repeat_interleave(3, dim=1)
    return focal + 0.5 * (smooth_l1_loss(moved, shifts, reduction="none", beta=0.1) * where).sum() / wanted
