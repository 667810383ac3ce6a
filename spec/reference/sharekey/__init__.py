"""The sharekey protocol, version 1: a second implementation, made from spec/protocol.md.

Not for production: not constant time, and it wipes no secrets. See README.md.
"""
