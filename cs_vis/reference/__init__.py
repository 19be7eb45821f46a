"""The model answers of the exercises, one module per notebook. Not part of the student wheel."""
