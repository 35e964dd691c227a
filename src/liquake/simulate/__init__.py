"""A market of leveraged positions, and venues on loopback that publish its liquidations in the real protocols.

`market` is pure and needs nothing but the words; `simulation` opens sockets.
"""
