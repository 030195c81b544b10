"""From faces to batches of crops: alignment, augmentation, what lies around a face."""
