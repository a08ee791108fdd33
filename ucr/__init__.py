"""UCR, the universal Claude router."""

__version__ = "0.1.0"
