"""`python -m bench.peers`, as `make bench-gateway` and `make bench-peers` run it."""

from bench.peers.comparison import main

main()
