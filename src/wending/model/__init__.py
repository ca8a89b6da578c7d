"""What a Qwen2.5 is: configuration, checkpoint, tokenizer, chat template, forward pass."""
