"""What each training command says about itself: a module a command, with `HELP`, `EXAMPLE`, `add_arguments`.

`NOTES`, where a module has it, says where files go and what else one must know.

They import neither PyTorch nor ONNX Runtime, so that `--help` is quick. What a command does is in
`fer_training.commands`, in the module of the same name.
"""
