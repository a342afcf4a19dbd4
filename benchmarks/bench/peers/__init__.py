"""Other tools on the same files; each gives the same arrays, or a part of them, and says so by the same digests."""
