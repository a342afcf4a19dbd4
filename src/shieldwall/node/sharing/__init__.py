"""What a node takes in from others and lets go to them: STIX objects, partners who come in by machine, collections, releases."""
