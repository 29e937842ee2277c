"""DNS over UDP and TCP: questions and answers as flows."""
