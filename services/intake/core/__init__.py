"""What intake decides, pure: which events are well formed, who may send them, what they are known by."""
