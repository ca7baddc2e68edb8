"""Third parties: who the target calls, whether children's data go there, and what its notice says of them."""
