"""What students write for notebook 06: known mistakes, and right solutions that look different.

The step is read factor by factor, so its mistakes are put together from factors here as well; the
others have fingerprints, which `make goldens` takes by running them.
"""

from cs_vis.grading.mistakes import collection, products

EXERCISES = ("feature_distance", "total_variation", "alpha_norm", "inversion_step")
MISTAKES, ALTERNATIVES, mistake, alternative = collection(*EXERCISES)
DISTANCE, VARIATION, ALPHA, STEP = EXERCISES
