"""What money was worth on its day, from rate files that the member holds. No rate is shipped, none is fetched.

A rate is what one source published for one day. A value names every rate that made it: the file, its SHA-256, the
source, the day. A day without a rate has no value, unless the caller allows so many days back; nothing is extrapolated.

Example:
    >>> from shieldwall.intel.rates import Valuer, parse_rates
    >>> file = parse_rates(b"date,currency,rate,source\\n2021-06-07,USD,33560.71,example desk\\n", "own.csv")
    >>> worth = Valuer([file], "USD").value(6_370_000_000, 1_623_087_941)
    >>> worth.text, worth.rates[0].quote.source, worth.rates[0].file
    ('2137817.23', 'example desk', 'own.csv')
    >>> Valuer([file], "USD").value(6_370_000_000, 0).reason
    'no rate of BTC in USD for 1970-01-01'

What it does not know: the clock, which payment is meant, and whether a published rate could have been had.
"""

from shieldwall.intel.rates.choice import choose_valuer
from shieldwall.intel.rates.quotes import Quote, RateFile
from shieldwall.intel.rates.readers import parse_rates, read_rates
from shieldwall.intel.rates.valuer import Leg, Valuation, Valuer, sum_text

__all__ = ["Leg", "Quote", "RateFile", "Valuation", "Valuer", "choose_valuer", "parse_rates", "read_rates", "sum_text"]
