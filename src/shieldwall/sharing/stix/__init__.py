"""STIX 2.0 and 2.1 as it travels: objects as bytes, bundles as streams, identifiers, times and selectors.

Source: STIX Version 2.1, OASIS Standard, 10 June 2021; sections are named where a rule is from.
"""
