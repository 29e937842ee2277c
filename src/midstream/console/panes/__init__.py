"""The panes: one file each. A pane paints its visible rows into one canvas and runs no keys of its own."""
