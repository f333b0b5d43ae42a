"""Questions from files: benchmark and training files, in their various forms, become one table."""
