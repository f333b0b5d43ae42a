"""Questions from files: benchmark and training files, in the forms that people have them in, become one table."""
