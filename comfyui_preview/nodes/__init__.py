"""The nodes a preview server can execute, by class."""
