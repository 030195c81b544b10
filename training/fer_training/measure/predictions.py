"""What an exported model answers to faces cut as serving cuts them."""

import numpy as np
from numpy.typing import NDArray

from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_training.crops.alignment import serving_frames
from fer_training.crops.batches import plain_crops


def predict_faces(
    model: EmotionModel, landmarks: LandmarkModel, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """The probabilities, N x K, of faces (N x H x W)."""
    return model.predict(serving_crops(model, landmarks, images)[..., None])


def serving_crops(
    model: EmotionModel, landmarks: LandmarkModel, images: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Faces (N x H x W) as the model sees them: N x S x S, cut by its card and the landmark model."""
    spec = model.card.face
    return plain_crops(images, serving_frames(images, spec.algorithm, landmarks), spec.size_px)
