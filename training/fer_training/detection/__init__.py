"""How well the detector finds faces, on scenes that anyone can build again."""
