# %% [markdown]
# # Doubling
# A notebook of a few seconds that has every kind of cell.

# %% tags=["setup"] nbgrader={"grade_id": "setup", "locked": true}
import warnings

# %% [markdown]
# Your turn: `double(x)` returns twice x. Twice 3 is
# six, 4 % of 150; half of 5 will be 2.50, as the last cell computes.

# %% tags=["solution"] nbgrader={"grade_id": "double_solution", "solution": true}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check", "raises-exception"] nbgrader={"grade_id": "double_check", "grade": true, "locked": true, "points": 2}
assert double(3) == 6, "double: twice 3 is 6"
print("double: right")

# %% tags=["check"] nbgrader={"grade_id": "double_hidden", "grade": true, "locked": true, "points": 1}
# More inputs are tried when this is graded.
### BEGIN HIDDEN TESTS
secret_input = 1234
assert double(secret_input) == 2468, "double: another input gives another answer"
### END HIDDEN TESTS

# %% tags=["figures"]
from cs_vis.grading.prose import percent, spelled

[f"Twice 3 is {spelled(double(3))}, {percent(double(3) / 150)} of 150"]

# %% tags=["look"]
print("a picture that takes long")

# %% tags=["setup"]
PARTS = 2  # a helper for the next exercise

# %% tags=["solution"] nbgrader={"grade_id": "half_solution", "solution": true}
def half(x):
    ### BEGIN SOLUTION
    return x / PARTS
    ### END SOLUTION

# %% tags=["check"] nbgrader={"grade_id": "half_check", "grade": true, "locked": true, "points": 2}
assert half(double(5)) == 5, "half: half of twice 5 is 5"
### BEGIN HIDDEN TESTS
assert half(98765) == 49382.5, "half: another input gives another answer"
### END HIDDEN TESTS

# %% tags=["figures"]
[f"half of 5 will be {half(5):.2f}"]
