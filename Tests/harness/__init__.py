"""What the tiers share.

A shell without job control starts what runs in the background with SIGINT and SIGHUP ignored, and programs pass
that on. The tests send both, so they begin with the usual dispositions, whoever started them.
"""
import signal

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
