"""The engine: everything that draws."""

import os

# It warns the people who draw of libraries that are not needed here, while it is imported.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
