"""Requirements and a target become a PEP 751 lock, a selection and its proof."""
