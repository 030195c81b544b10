"""What can go wrong in training, with a message that names the file and the fix.

TrainingError
├── DataError         a data set that is missing, incomplete or damaged
├── ConfigError       an experiment file with a wrong or unknown field
├── CheckpointError   a checkpoint or weights file that does not fit
├── ParityError       the exported graph does not answer like the PyTorch model
├── ProcessError      another process of the same training that was lost
└── QuantisationError   a graph that cannot be quantised, or whose answers fail a gate of release
"""


class TrainingError(Exception):
    """Base of all errors that the training code raises on purpose."""


class DataError(TrainingError):
    """A data set that is missing, incomplete or damaged."""


class ConfigError(TrainingError):
    """An experiment file with a wrong or unknown field."""


class CheckpointError(TrainingError):
    """A checkpoint or weights file that does not fit."""


class ParityError(TrainingError):
    """The exported graph does not answer like the PyTorch model."""


class ProcessError(TrainingError):
    """Another process of the same training that was lost."""


class QuantisationError(TrainingError):
    """A graph that cannot be quantised, or whose answers fail a gate of release."""
