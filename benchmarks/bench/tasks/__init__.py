"""What Shieldwall is measured at."""
