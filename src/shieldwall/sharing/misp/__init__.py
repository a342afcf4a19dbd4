"""MISP's format: events, attributes, objects, tags and galaxies, to STIX and back."""
