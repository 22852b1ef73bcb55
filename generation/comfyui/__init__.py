"""What Madsea knows of ComfyUI: its protocol, its graphs and their parameters."""
