"""From a finished run to the shipped files: calibration, doubt, export, provenance."""
