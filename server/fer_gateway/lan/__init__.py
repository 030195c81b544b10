"""The gateway for other devices: who they are, and how they reach it safely."""
