"""A third-party package that warns when it is imported."""

import warnings

warnings.warn("oldlib is not kept any more", DeprecationWarning)
