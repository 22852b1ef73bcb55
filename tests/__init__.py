"""The tests of Madsea, in the order of its story."""
