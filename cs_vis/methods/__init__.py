"""The drivers that notebooks give: they take the student's step as an argument."""
