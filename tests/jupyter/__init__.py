"""What runs notebooks for real, which takes minutes: `make test-notebooks`, `make test-browser`."""
