"""One live call: answer, listen, speak, take the message, wrap up."""
