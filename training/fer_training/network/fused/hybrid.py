"""The hybrid in training, computed by fused passes: the same weights, the same function, in bfloat16."""

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from fer_training.errors import ConfigError
from fer_training.network.fused import library
from fer_training.network.fused.blocks import inverted_residual, pointwise, stem
from fer_training.network.model import Hybrid, InvertedResidual, MobileNetV2


class FusedHybrid(nn.Module):
    """N x 1 x S x S -> logits as `model` gives them while it trains; gradients reach the weights of `model`.

    Feature maps are bfloat16, sums and normalisation float32, as with autocast on an accelerator; about three
    times as many faces a second as the plain modules on a processor with AMX (measured: EXPERIMENTS.md).

    Raises:
        ConfigError: see `library.require`; or the device is no processor, the model has no MobileNetV2, or
            its layers were replaced.
    """

    def __init__(self, model: Hybrid, device: torch.device) -> None:
        super().__init__()
        if device.type != "cpu":
            raise ConfigError(f"`--kernels fused` is for the processor, not for `{device}`; leave it out")
        if model.config.fusion == "vit-patches":
            raise ConfigError("`--kernels fused` is for models with a MobileNetV2; `vit-patches` has none")
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        if any(type(norm) is not nn.BatchNorm2d for norm in norms):
            raise ConfigError("`--kernels fused` and `sync_batch_norm` do not go together")
        library.require()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits, N x classes, float32."""
        tokens_map, features = _features(self.model.mobilenet, pixels)
        # the flash kernel's backward pass takes longer in bfloat16 than all the rest of the transformer
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            fused = self.model.mixed(tokens_map, features)
            logits: Tensor = self.model.classifier(self.model.dropout(fused))
        return logits.float()


def _features(mobilenet: MobileNetV2, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """What `MobileNetV2` gives."""
    features, tokens_map = pixels, pixels
    for index, stage in enumerate(mobilenet.stages):
        for block in stage:  # type: ignore[attr-defined]
            if isinstance(block, InvertedResidual):
                features = inverted_residual(block, features)
            else:
                features = stem(block, features)
        if index == mobilenet.token_stage:
            tokens_map = features
    pooled = pointwise(mobilenet.last, features).float().mean(dim=(1, 2))
    return tokens_map.permute(0, 3, 1, 2), pooled
