"""Panels: pure functions of a picture and of the room they have, one module each."""
