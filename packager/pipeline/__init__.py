"""The ways through the stages: this folder alone knows two of them."""
