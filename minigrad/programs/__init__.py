"""The programs behind the command line `minigrad`: one module each."""
