"""The kernels in plain Python and NumPy: for small inputs, and the measure for the compiled ones."""
