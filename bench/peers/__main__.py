"""`python -m bench.peers`, as `make bench-peers` runs it."""

from bench.peers.comparison import main

main()
