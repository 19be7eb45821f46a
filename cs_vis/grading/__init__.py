"""For instructors: building the notebooks and grading a class. Not part of the student's wheel."""
