"""The same kernel again and again, each time faster: from the definition to the fast one."""
