"""One experiment: a TOML file under `training/configs`, checked field by field."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from fer_gateway.contract import Frozen
from fer_training.crops.alignment import Crop
from fer_training.crops.augment import AugmentConfig
from fer_training.data.votes import Rule
from fer_training.errors import ConfigError
from fer_training.network.model import HybridConfig


class DistillConfig(Frozen):
    """Teachers to learn from beside the targets (Hinton et al. 2015), see `teachers`."""

    weights: tuple[Path, ...] = Field(
        min_length=1, description="`.safetensors` of this project; the mean of their answers is the teacher."
    )
    temperature: float = Field(default=2.0, gt=0, description="Of teachers and student alike.")
    share: float = Field(default=0.5, ge=0, le=1, description="Of the teachers in the loss.")
    once: bool = Field(
        default=False,
        description="Ask the teachers before training instead: their mean answer to all frames of a face and "
        "their mirror images becomes a share of its target.",
    )


class ExperimentConfig(Frozen):
    """Everything a training run depends on, but the data and the device."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]*$", description="Of the run (default: that of the file)."
    )
    model: HybridConfig = HybridConfig()
    augment: AugmentConfig = AugmentConfig()
    crop: Crop = Field(
        default="box-v1", description="How faces are cut: the whole picture of a face, or by landmarks."
    )
    frames: int = Field(default=4, ge=1, description="Landmark searches for each training face.")
    train_rule: Rule = Field(
        default="argmax", description="Which voted faces train; validation takes `majority`."
    )
    seed: int = Field(default=0, description="Another one gives other weights, order and views.")
    epochs: int = Field(default=50, ge=1, description="Passes over the training faces.")
    batch_size: int = Field(default=128, ge=2, description="Faces a process sees at a time.")
    accumulate: int = Field(default=1, ge=1, description="Batches whose mean gradient makes one step.")
    sync_batch_norm: bool = Field(
        default=False, description="Processes share batch statistics: exact, at a message a layer."
    )
    optimizer: Literal["adam", "adamw"] = Field(
        default="adamw", description="`adamw` takes the weight decay out of the gradient."
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="Once the warm-up is over.")
    schedule: Literal["constant", "cosine"] = Field(
        default="cosine", description="Of the rate after the warm-up; `cosine` falls to a hundredth."
    )
    warmup_epochs: float = Field(default=1.0, ge=0, description="In which the rate rises from near 0.")
    weight_decay: float = Field(default=0.05, ge=0, description="Of matrices and kernels only.")
    sam_rho: float = Field(
        default=0.0, ge=0, description="Radius of sharpness-aware minimisation (Foret et al. 2021); 0 is off."
    )
    balance: float = Field(
        default=0.0, ge=0, le=1, description="A face weighs its classes' inverse frequency to this power."
    )
    logit_adjustment: float = Field(
        default=0.0, ge=0, description="tau of equation 10 of Menon et al. 2021; 0 is off, 1 is balanced."
    )
    label_smoothing: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of a target spread over all classes (Szegedy et al. 2016).",
    )
    mixup: float = Field(
        default=0.0, ge=0, description="alpha of Zhang et al. 2018: views and targets are blended; 0 is off."
    )
    cutmix: float = Field(
        default=0.0, ge=0, description="alpha of Yun et al. 2019: a rectangle is another's; 0 is off."
    )
    mix_share: float = Field(default=1.0, ge=0, le=1, description="Share of the batches that are mixed.")
    distill: DistillConfig | None = None
    ema_decay: float = Field(
        default=0.999, ge=0, lt=1, description="Moving average of the weights; 0 is off."
    )


def load_config(path: Path) -> ExperimentConfig:
    """Read an experiment.

    Raises:
        ConfigError: no such file, no text, no TOML, an unknown field or a value out of range; names each.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return ExperimentConfig.model_validate({"name": path.stem, **values})
    except OSError as error:
        raise ConfigError(f"`{path}` cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"`{path}` is no UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{path}` is no TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"`{'.'.join(map(str, fault['loc']))}`: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigError(f"`{path}`: {faults}") from error
