"""Readers: one file a source, all with the seam of `interface.py`.

Each surveys its source (which blocks are there, in what file at which place), then loads chosen blocks in the order it
is asked for; memory holds a line a block and the blocks of one batch, never the source.
"""
