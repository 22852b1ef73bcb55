"""The driver: the loop that drives one ComfyUI server, from lease to published version."""

from generation.driver.loop import Driver, drive

__all__ = ["Driver", "drive"]
