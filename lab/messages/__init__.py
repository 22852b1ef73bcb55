"""`make messages`: gathers what people read, and keeps the catalogues of what it is in French."""
