"""renewal: the opportunity to renew a contract that nears its end. The ERP's contract gives rise to it; from then on it is sales'."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Day,
    Direction,
    Field,
    FieldType,
    Money,
    Owner,
    Reference,
    Sensitivity,
    Text,
    Unknown,
)
from accord.objects.vocabulary import CURRENCIES, LEGAL_ENTITY_CODES, RENEWAL_STAGES


def _seed(name: str, kind: FieldType, meaning: str, sensitivity: Sensitivity = Sensitivity.INTERNAL) -> Field:
    """A field of sales' that the ERP fills in when the opportunity is created."""
    return Field(
        name=name,
        type=kind,
        owner=Owner.SALESFORCE,
        seeded_by=Owner.ERP,
        required=True,
        sensitivity=sensitivity,
        meaning=meaning,
    )


RENEWAL = BusinessObject(
    name="renewal",
    version=1,
    meaning="The renewal of one term of a contract: created once as an opportunity, and never touched again.",
    fields=(
        _seed("name", Text(limit=120), "What sales sees first."),
        _seed("customer", Reference(object="customer", unknown=Unknown.EXCLUDE), "Who subscribes."),
        _seed("legal_entity", Choice(values=LEGAL_ENTITY_CODES), "Who is party to the contract."),
        _seed("stage", Choice(values=RENEWAL_STAGES), "Where it begins."),
        _seed("currency", Choice(values=CURRENCIES), "ISO 4217."),
        _seed(
            "amount",
            Money(digits=16),
            "What there is to renew: the annual recurring revenue of the contract's last day.",
            Sensitivity.FINANCIAL,
        ),
        _seed("close_date", Day(), "The contract's last day."),
    ),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="15 * * * *"),),
    amounts=("amount",),
)
