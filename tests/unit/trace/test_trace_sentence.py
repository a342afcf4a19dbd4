"""The answer in one sentence, for each kind of end."""

from __future__ import annotations

import pytest

from shieldwall.trace.sentence import sentence

COIN = 10**8


def end(kind, amount, address="bc1qend", **further):
    plain = {"kind": kind, "amount": amount, "address": address, "hops": 2, "last_moved": "2021-05-08T17:12:57Z"}
    output = {"state": "unspent", "as_of": None, "hops": further.get("hops", 2)}
    return plain | {"service": None, "inherited": None, "freezable_by": [], "tags": [], "outputs": [output]} | further


def body(*ends, conserved=True, gaps=(), unspendable=0, tip=700_000, direction="forward", fiat=None, network="main"):
    kinds = ("held", "coinbase", "service", "unknown", "fee", "limit", "gap")
    found = {f"{kind}_amount": 0 for kind in (*kinds, *(("mweb",) if network == "litecoin" else ()))}
    for entry in ends:
        found[f"{entry['kind']}_amount"] += entry["amount"]
    return found | {
        "seed_amount": sum(entry["amount"] for entry in ends) or 0,
        "unspendable_amount": unspendable,
        "ends": sorted(ends, key=lambda entry: -entry["amount"]),
        "gaps": list(gaps),
        "direction": direction,
        "network": network,
        "fiat": fiat,
        "conserved": conserved,
        "method": "fifo" if conserved else "poison",
        "tip_height": tip,
        "tip_time": "2021-10-01T00:00:00Z",
    }


def test_nothing_at_all():
    assert sentence(body()) == "There is nothing to follow: the targets hold no money in this data."


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (
            end("held", COIN),
            "100.0 % (1 BTC) sits unspent at bc1qend, 2 hops on, last moved 2021-05-08T17:12:57Z",
        ),
        (end("held", COIN, hops=0), "100.0 % (1 BTC) sits unspent at bc1qend, not moved since 2021-05-08T17:12:57Z"),
        (
            end("service", COIN, service="Binance", freezable_by=[{"name": "Binance"}], hops=1),
            (
                "100.0 % (1 BTC) sits at Binance, address bc1qend, 1 hop on, last moved 2021-05-08T17:12:57Z; "
                "Binance can freeze it"
            ),
        ),
        (
            end("service", COIN, service="Hydra"),
            (
                "100.0 % (1 BTC) sits at Hydra, address bc1qend, 2 hops on, last moved 2021-05-08T17:12:57Z; who can "
                "freeze it is not in the directory"
            ),
        ),
        (
            end("unknown", COIN),
            "100.0 % (1 BTC) was last seen at bc1qend, and whether it moved on is not in this data",
        ),
        (end("limit", COIN), "100.0 % (1 BTC) was not followed further, by the limits set"),
        (end("fee", COIN), "100.0 % (1 BTC) went to fees"),
    ],
)
def test_each_kind_alone(entry, text):
    assert sentence(body(entry)) == f"Of 1 BTC, {text}. Method fifo, as of height 700000 (2021-10-01T00:00:00Z)."


def test_a_gap_names_the_largest_missing_transaction():
    gaps = [{"txid": "ab" * 32}, {"txid": "cd" * 32}]
    assert "100.0 % (1 BTC) is behind a gap in the data (transaction abababababababab...) and 1 more." in sentence(
        body(end("gap", COIN), gaps=gaps)
    )


def test_the_largest_first_and_the_rest_summed():
    text = sentence(
        body(
            end("unknown", 50, "bc1qlost"),
            end("service", 30, "bc1qdesk", service="Binance"),
            end("held", 15, "bc1qhere"),
            end("held", 3, "bc1qthere"),
            end("service", 2, "bc1qdesk2", service="Kraken"),
        )
    )
    parts = text.split("; ")
    assert parts[0].startswith("Of 0.000001 BTC, 50.0 % (0.0000005 BTC) was last seen at bc1qlost")
    assert "30.0 % (0.0000003 BTC) sits at Binance, address bc1qdesk" in parts[1]
    assert "18.0 % (0.00000018 BTC) sits unspent at 2 other addresses" in text
    assert "2.0 % (0.00000002 BTC) sits at Kraken" in text  # what a service holds is never mixed with the rest


def test_more_services_are_counted():
    others = [end("service", 5 - k, f"bc1q{k}", service=f"S{k}") for k in range(4)]
    assert "at 3 other services" in sentence(body(*others))
    assert "at S1 and S2" in sentence(body(*others[:3]))


def test_the_addresses_of_one_service_are_summed():
    desk = {"service": "Binance", "freezable_by": [{"name": "Binance"}]}
    ends = [
        end("held", 40, "bc1qhere"),
        end("service", 30, "bc1qdesk", **desk, hops=3),
        end("service", 20, "bc1qdesk2", **desk, inherited="bc1qdesk", last_moved="2021-06-01T00:00:00Z"),
        end("service", 4, "bc1qa", service="Kraken"),
        end("service", 3, "bc1qb", service="Kraken", inherited="bc1qa"),
        end("service", 2, "bc1qc", service="Okx", inherited="bc1qd"),
    ]
    text = sentence(body(*ends, end("fee", 1)))
    assert text.startswith(
        "Of 0.000001 BTC, 50.0 % (0.0000005 BTC) sits at Binance, 2 addresses (inferred, by its cluster, for 1 of them), the "
        "largest bc1qdesk, 2 to 3 hops on, last moved 2021-06-01T00:00:00Z; Binance can freeze it; 40.0 % (0.0000004 BTC) "
        "sits unspent at 1 other address; 9.0 % (0.00000009 BTC) sits at Kraken (inferred, by its cluster, for 1 of 2 "
        "addresses) and Okx (inferred, by its cluster); 1.0 %"
    )
    more = [end("service", 1, "bc1qe", service=name) for name in ("Upbit", "Bithumb")]
    assert "at 4 other services" in sentence(body(*ends, *more))
    text = back(*[entry for entry in ends if entry["kind"] == "service"])
    assert (
        " came from Binance, 2 addresses (inferred, by its cluster, for 1 of them), the largest bc1qdesk, last paid out "
        "2021-06-01T00:00:00Z, 2 hops back; " in text
    )


def test_equal_sums_go_by_the_largest_end():
    ends = [end("service", 3, f"bc1q{name}", service=name) for name in ("B", "A")]
    ends += [end("service", 2, "bc1qc1", service="C"), end("service", 1, "bc1qc2", service="C")]
    assert "sits at B, address bc1qB" in sentence(body(*ends))
    held = end("held", 3, "bc1qheld")
    assert "sits unspent at bc1qheld," in sentence(body(held, *ends))


def test_fees_and_destroyed_money_are_told_apart():
    text = sentence(body(end("fee", 10), unspendable=4))
    assert "60.0 % (0.00000006 BTC) went to fees; 40.0 % (0.00000004 BTC) was destroyed" in text


def test_poison_counts_no_shares():
    text = sentence(body(end("held", COIN), conserved=False))
    assert text.startswith("Outputs marked from 1 BTC (poison counts no shares): 1 BTC sits unspent")
    assert "%" not in text


def test_a_tip_of_unknown_height():
    assert sentence(body(end("held", COIN), tip=None)).endswith("as of a tip of unknown height.")


def test_unknown_at_several_addresses():
    text = sentence(body(end("unknown", 5, "bc1qa"), end("unknown", 4, "bc1qb")))
    assert "was last seen at bc1qa and 1 other address," in text
    text = sentence(body(end("unknown", 5, "bc1qa"), end("unknown", 4, "bc1qb"), end("unknown", 3, "bc1qc")))
    assert "was last seen at bc1qa and 2 other addresses," in text


def output(hops, state="unspent", as_of=None):
    return {"state": state, "as_of": as_of, "hops": hops}


def test_money_that_may_have_left_a_service_only_reached_it():
    text = sentence(body(end("service", 5, service="Binance", outputs=[output(2), output(6, "spent")])))
    assert "reached Binance, address bc1qend, 2 to 6 hops on" in text
    assert "whether all of it is still there was not followed" in text


def test_what_a_source_said_is_said_with_its_height():
    text = sentence(body(end("held", 5, outputs=[output(1, as_of=955_873), output(1, as_of=955_900)])))
    assert "sits unspent (so said as of height 955873) at bc1qend" in text


def test_an_address_with_other_names_does_not_read_like_a_fact():
    tags = [{"label": "FBI seizure address"}, {"label": "Binance"}]
    assert "at Binance, address bc1qend (also tagged FBI seizure address)," in sentence(
        body(end("service", 5, service="Binance", tags=tags))
    )


# backward


def back(*ends, **further):
    return sentence(body(*ends, direction="backward", **further))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (end("coinbase", COIN), "100.0 % (1 BTC) was newly mined, in 1 block reward"),
        (end("coinbase", COIN, outputs=[output(1)] * 3), "100.0 % (1 BTC) was newly mined, in 3 block rewards"),
        (end("gap", COIN), "100.0 % (1 BTC) came out of transactions that are not in this data"),
        (end("limit", COIN), "100.0 % (1 BTC) was not followed further back, by the limits set"),
        (end("unknown", COIN), "100.0 % (1 BTC) came from inputs that this data cannot tell apart"),
        (
            end("service", COIN, service="Binance", hops=1),
            "100.0 % (1 BTC) came from Binance, address bc1qend, last paid out 2021-05-08T17:12:57Z, 1 hop back",
        ),
    ],
)
def test_each_kind_of_source_alone(entry, text):
    assert back(entry) == f"Of 1 BTC, {text}. Method fifo, as of height 700000 (2021-10-01T00:00:00Z)."


def test_sources_by_size_and_other_services_summed():
    text = back(
        end("service", 20, service="Binance"),
        end("service", 10, service="Kraken"),
        end("service", 5, service="Kraken"),
        end("coinbase", 40),
        end("gap", 25),
        gaps=[{"txid": "ab" * 32}],
    )
    parts = text.split("; ")
    assert [part.split(" %")[0].rpartition(" ")[2] for part in parts] == ["40.0", "25.0", "20.0", "15.0"]
    assert "came from Kraken" in parts[3]
    assert "not in this data (transaction abababababababab...)" in parts[1]


# fiat


def seed(value, day="2021-06-07"):
    return {"value": value, "rate_date": day if value else None}


def test_what_the_seed_was_worth():
    fiat = {"currency": "USD", "seed": {"value": "2137826.74", "unvalued_amount": 0}, "seeds": [seed("2137826.74")]}
    text = sentence(body(end("held", COIN), fiat=fiat))
    assert text.startswith("Of 1 BTC (about 2.14 million USD at the rate of 2021-06-07), 100.0 %")
    fiat["seeds"] += [seed("1.00", "2021-06-09"), seed(None)]
    fiat["seed"]["unvalued_amount"] = COIN // 2
    text = sentence(body(end("held", COIN), fiat=fiat))
    assert "at the rates of their days, 2021-06-07 to 2021-06-09, 0.5 BTC of it without a rate)" in text
    text = sentence(body(end("held", COIN), fiat=fiat | {"seeds": [seed(None)]}))
    assert text.startswith("Of 1 BTC (no rate in USD for the day), ")


# Litecoin


def test_amounts_are_in_the_coin_of_the_network():
    text = sentence(body(end("held", COIN), network="litecoin"))
    assert text.startswith("Of 1 LTC, 100.0 % (1 LTC) sits unspent")
    assert "BTC" not in text


def test_the_extension_block_is_neither_a_holder_nor_a_gap():
    text = sentence(body(end("mweb", COIN, "mweb_pegin:59"), network="litecoin"))
    assert (
        "100.0 % (1 LTC) went into the extension block (MWEB), which hides amounts and holders: where it is now" in text
    )
    text = back(end("mweb", COIN, "ltc1qend"), network="litecoin")
    assert (
        "100.0 % (1 LTC) came out of the extension block (MWEB), which hides amounts and holders: whose it was" in text
    )
