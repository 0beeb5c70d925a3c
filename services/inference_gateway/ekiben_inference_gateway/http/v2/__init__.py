"""The Open Inference Protocol v2: health, metadata and infer, JSON and the binary tensor extension.

A request is decoded in four pure steps, each of which refuses what the next could not bear:

    bodies.py    bytes → the JSON header and the binary behind it
    messages.py  the header → inputs and wanted outputs, of the right types
    tensors.py   an input → a numpy array whose size is what came, never what was told
    rows.py      tensors and a signature → rows of features

Source: kserve/open-inference-protocol, inference_rest.md; Triton, extension_binary_data.md.
"""
