"""Contact sheets as PDF, drawn in a child process of their own. No Django."""
