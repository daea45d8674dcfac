"""Long runs that break things on purpose; `make soak`. A short one is part of the ordinary tests."""
