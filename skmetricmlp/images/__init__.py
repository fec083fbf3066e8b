"""Images: comparisons of patches, slid over the image, are a calculated convolution."""

from skmetricmlp.images.patch_comparisons import PatchComparisons

__all__ = ["PatchComparisons"]
