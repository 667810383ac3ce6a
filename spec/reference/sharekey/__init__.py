"""The sharekey protocol, version 1: a second implementation, written from spec/protocol.md alone.

Not for production: not constant time, and it wipes no secrets. See README.md.
"""
