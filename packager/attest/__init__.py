"""What publishers attest of their files (PEP 740), and whether it is true."""
