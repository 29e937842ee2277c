"""What holds for all tests."""

from hypothesis import settings

# A deadline per example measures the machine's other work, not ours.
settings.register_profile("midstream", deadline=None)
settings.load_profile("midstream")
