"""What a Lambda runtime is and provides, as dated data, and the subtraction of it."""
