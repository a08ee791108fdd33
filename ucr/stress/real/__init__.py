"""The router as real processes, under load and faults over loopback, measured against its targets."""
