"""The kernels timed beside their peers, on one CUDA device in one run."""
