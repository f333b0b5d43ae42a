"""One LoRA adapter per format, trained on the kept chains."""
