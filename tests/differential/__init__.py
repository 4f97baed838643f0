"""Random projects, loaded step by step and then compared with a rebuild: see README.md."""
