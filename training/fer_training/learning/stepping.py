"""One step of the optimizer: gradients of one or several batches, and what the recipe does with them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fer_training.learning.optimization import at_worst_neighbour, frozen_statistics, mixed_precision

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Pixels B x 1 x S x S, logits and targets B x K -> a scalar."""

LARGEST_GRADIENT = 5.0


@dataclass(frozen=True, slots=True)
class Stepper:
    """Moves the weights of `network` by its `optimizer`; `sam_rho` as in `at_worst_neighbour`, 0 is off."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Loss
    device: torch.device
    sam_rho: float = 0.0

    def step(self, batches: Sequence[tuple[Tensor, Tensor]], rate: float) -> Tensor:
        """Step by the mean gradient of the batches (pixels and targets); their mean loss and accuracy, 2."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        measured = self._backward(batches)
        parameters = list(self.network.parameters())
        if self.sam_rho:
            with at_worst_neighbour(parameters, self.sam_rho), frozen_statistics(self.network):
                self._backward(batches)
        nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        self.optimizer.step()
        return measured

    def _backward(self, batches: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros(2, device=self.device)
        for number, (pixels, targets) in enumerate(batches, start=1):
            with self._exchange(last=number == len(batches)):
                with mixed_precision(self.device):
                    logits = self.network(pixels)
                loss = self.loss(pixels, logits, targets)
                (loss / len(batches)).backward()  # type: ignore[no-untyped-call]
            right = (logits.detach().argmax(dim=1) == targets.argmax(dim=1)).float().mean()
            total += torch.stack([loss.detach(), right])
        return total / len(batches)

    def _exchange(self, *, last: bool) -> AbstractContextManager[None]:
        """Processes exchange gradients once a step, with the last batch."""
        if last or not isinstance(self.network, DistributedDataParallel):
            return nullcontext()
        return self.network.no_sync()
