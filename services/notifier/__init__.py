"""The notifier: turns the alerts that assessments call for into courteous mail and SMS, each sent once.

It does not assess duties: that is what rules does.
"""
