"""The nouns of lpack: frozen values without disk, network, clock or environment."""
