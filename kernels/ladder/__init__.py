"""The same kernel again and again, each time faster: the steps from the definition to the fast one."""
