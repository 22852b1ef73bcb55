"""The use cases: every write of Madsea goes through one of these modules."""
