"""What the training of the landmark network depends on; the defaults are those of the shipped one."""

from typing import Literal

from pydantic import Field

from fer_gateway.contract import Frozen
from fer_training.crops.jitter import Jitter


class LandmarkConfig(Frozen):
    """Everything but the data and the device."""

    width: int = Field(default=16, ge=4)
    margin: float = Field(default=0.1, ge=0, description="Seen around the frame, in sides of it, each side.")
    wide: Jitter = Jitter(shift=0.16, scale=0.28, degrees=38)
    """As Haar boxes lie, and faces in them tilt: the first look."""
    near: Jitter = Jitter(shift=0.05, scale=0.1, degrees=9)
    """After a first estimate: the second look."""
    near_share: float = Field(default=0.4, ge=0, le=1)
    nothing_share: float = Field(default=0.06, ge=0, le=0.5, description="Crops that hold no face.")
    epochs: int = Field(default=60, ge=1)
    batch_size: int = Field(default=128, ge=2)
    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: float = Field(default=2e-3, gt=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup_epochs: float = Field(default=1.0, ge=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    seed: int = 0
