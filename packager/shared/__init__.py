"""What many machines share over a network: payloads and what was found out about wheels."""
