"""What the checks of pictures find, and what they alarm on: measured on pictures that are drawn."""
