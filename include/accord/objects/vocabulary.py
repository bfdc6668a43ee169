"""Closed vocabularies shared by several objects."""

from accord.recurring import PERIODS
from accord.routing import LEGAL_ENTITIES

# ISO 3166-1 alpha-2
COUNTRIES = tuple(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF "
    "CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH "
    "GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW "
    "KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG "
    "NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN "
    "SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT "
    "ZA ZM ZW".split()
)

# ISO 4217, those the group trades in
CURRENCIES = ("AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "JPY", "NOK", "PLN", "SEK", "SGD", "USD")

LEGAL_ENTITY_CODES = tuple(entity.code for entity in LEGAL_ENTITIES)

RISKS = ("Low", "Medium", "High", "Blocked")

PRODUCT_FAMILIES = ("Instruments", "Accessories", "Consumables", "Services", "Subscriptions", "Bundles")
PRODUCT_STATES = ("Active", "Discontinued", "Blocked")
UNITS = ("Each", "Hour", "Month", "Kit", "Litre")

# what sales asks for
ORDER_REQUESTS = ("Draft", "Activated", "Cancelled")
# where an order, or a line of it, stands in the ERP
ORDER_STATES = (
    "Accepted",
    "Pending Approval",
    "On Hold",
    "In Fulfilment",
    "Shipped",
    "Invoiced",
    "Paid",
    "Rejected",
    "Cancelled",
)
# how far sales has come with a contract
CONTRACT_REQUESTS = ("Draft", "In Approval Process", "Activated")
# where a contract stands in the ERP
CONTRACT_STATES = ("On Hold", "Scheduled", "Active", "Ended", "Cancelled")
BILLING_PERIODS = tuple(PERIODS)
# where the opportunity to renew a contract begins
RENEWAL_STAGES = ("Qualification",)
SHIPMENT_STATES = ("Planned", "Picking", "Packed", "Shipped", "Delivered", "Cancelled")
INVOICE_STATES = ("Posted", "Partly Paid", "Paid", "Cancelled")
PAYMENT_STATES = ("Received", "Partly Applied", "Applied", "Reversed")
