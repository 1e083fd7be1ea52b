"""From scheduled alerts to the text of a mail or an SMS, in Vietnamese or English."""
