"""The embedded world: a small place with a known truth, in which the paper's mechanism can be measured in minutes.

To be read in this order:

1. `world`: what is true, and what is disputed. (`world_words`: its names.)
2. `exam`: charts, the questions made of them, and who is asked which.
3. `textbook`: what the base model reads: facts and fragments of answering, never a case reasoned out.
4. `expert`: the engine that teaches. It reads a case from a prompt and explains it in a format (`explanations`).
5. `base`: the tiny base model, trained from scratch (`medo1.from_scratch`) until it has what every arm needs.

A second task can stand beside the clinic: a workshop, with words of its own (`World.second`).

`wording` holds each sentence once, `lexicon` every word for the tokenizer, `soundness` checks chains step by step.
docs/embedded_world.md says why each is as it is, and what was measured.
"""
