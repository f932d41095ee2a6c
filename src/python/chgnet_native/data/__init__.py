"""Upstream's `chgnet.data`: sets of training data are not offered."""
