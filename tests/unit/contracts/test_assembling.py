from ekiben_contracts.models import Role
from ekiben_contracts.prediction import Output

FIELDS = {
    "model": "delay",
    "version": "1",
    "role": Role.CHAMPION,
    "value": 0.5,
    "label": "late",
    "probabilities": {"late": 0.5, "on time": 0.5},
    "latency_ms": 1.5,
}


def test_what_is_assembled_is_what_would_have_been_validated():
    assembled, validated = Output.assemble(FIELDS), Output(**FIELDS)
    assert assembled == validated
    assert assembled.model_fields_set == validated.model_fields_set
    assert assembled.model_dump_json() == validated.model_dump_json()
    assert assembled.model_copy(update={"value": 0.7}).value == 0.7
