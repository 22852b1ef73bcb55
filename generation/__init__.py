"""The engine: requests, batches, drivers, versions, and the doors to them."""
