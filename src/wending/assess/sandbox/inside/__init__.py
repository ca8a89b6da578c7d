"""What runs inside the sandbox process: standard library only, nothing of wending.

The files of this package are imported by a bare interpreter that knows no other path (see
``wending.assess.sandbox.run``).
"""
