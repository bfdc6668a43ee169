"""contract_renewal: which opportunity renews a contract, told on the contract."""

from accord.objects.definition import BusinessObject, Direction, Field, Owner, Reference

CONTRACT_RENEWAL = BusinessObject(
    name="contract_renewal",
    version=1,
    meaning="The renewal of the term that nears its end; its key is the contract's.",
    fields=(
        Field(
            name="renewal",
            type=Reference(object="renewal"),
            owner=Owner.ERP,
            required=True,
            meaning="The opportunity that renews it.",
        ),
    ),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="20 * * * *"),),
)
