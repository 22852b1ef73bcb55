"""Commands of the nomenclature."""
