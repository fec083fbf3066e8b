"""Images: comparisons of patches, slid over the image, are a calculated convolution."""

from skmetricmlp.images.explanation import explain_patches
from skmetricmlp.images.patch_comparisons import PatchComparisons

__all__ = ["PatchComparisons", "explain_patches"]
