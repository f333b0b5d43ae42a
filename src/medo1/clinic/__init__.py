"""The embedded world: a small place with a known truth, in which the paper's mechanism can be measured in minutes.

- `knowledge`, `world_words`: what is true. `cases`: what is asked about it.
- `wording`, `explanations`: how things are said, and solutions in every format. `expert`: the engine that teaches.
- `textbook`, `lexicon`, `base_model`: the tiny base model, trained from scratch (`medo1.from_scratch`).

docs/embedded_world.md says why each is as it is, and what was measured.
"""
