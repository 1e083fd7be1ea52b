"""What runs beside the product: the local stack, the plan files, the monitoring."""
