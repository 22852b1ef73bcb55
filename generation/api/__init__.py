"""The HTTP door: parse, one service call, present."""
