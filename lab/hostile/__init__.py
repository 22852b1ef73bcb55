"""What strangers and strange things do to Madsea, as a program that anybody can repeat."""
