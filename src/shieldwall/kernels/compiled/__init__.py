"""The kernels compiled by numba: same names, same arguments, same answers as `shieldwall.kernels.plain`.

Only the modules in here import numba, and only `shieldwall.kernels.engine` imports them, when the input is large.
"""
