DIGITS = "\d+"
