"""Speed side by side: every row does the same work by the package, by its peers and by the bare machine, in turns.

Run by ``scripts/bench``. A row measures and reports; it never fails a test.
"""
