"""The file formats of saved flows, one file each."""
