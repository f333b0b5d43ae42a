"""The project's own commands, one file each, imported when they are called."""
