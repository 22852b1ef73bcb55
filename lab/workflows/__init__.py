"""What Madsea reads of workflows that people and ComfyUI's own templates bring."""
