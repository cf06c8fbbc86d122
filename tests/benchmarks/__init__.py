"""Benchmarks: minigrad beside its peers.   python -m tests.benchmarks [NAME ...] [--json FILE]

A new one is a new file in this folder: see harness.py for what it holds, and mlp.py for an example.
"""
