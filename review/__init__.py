"""Review: what people decide about versions, and what follows from it."""
