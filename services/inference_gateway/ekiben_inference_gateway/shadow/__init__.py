"""Shadow scoring: what a version without traffic would have answered, in a process of its own.

It reads the outputs of the gateway behind the requests' back, as a consumer group, with clients, breakers and
an event loop that nobody else waits for. `python -m ekiben_inference_gateway.shadow` runs it.
"""
