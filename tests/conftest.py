"""Settings that have to be made before scikit-learn is imported."""

import os

# scikit-learn 1.6 refuses to load its estimator checks beside array-api-compat without.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
