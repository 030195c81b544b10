"""What each training command does; its options are in `fer_training.options`."""
