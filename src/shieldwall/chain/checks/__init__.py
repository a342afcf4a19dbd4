"""What `chain verify` checks, one file a subject; each check takes a store and answers with a `Check`."""
