"""The TAXII 2.1 server: an application of its own, behind a door of its own, for partners' machines and nobody else.

Source: TAXII Version 2.1, OASIS Standard, 10 June 2021; docs/spec/taxii.md says how each MUST is met and where it is tested.
"""
