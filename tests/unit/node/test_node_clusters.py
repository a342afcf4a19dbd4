"""The Python API of clusters, as in a notebook."""

import pytest
from trace_support import Chain, identity

import shieldwall
import shieldwall.errors


@pytest.fixture
def chain(tmp_path):
    made = Chain()
    made.pay([made.mine("a", 100), made.mine("b", 100)], ("c", 150))
    made.mine()
    with made.store_in(tmp_path) as store:
        yield store


def test_build_show_why_and_trace(chain, tmp_path):
    report = shieldwall.cluster_chain(chain, data=tmp_path)
    assert report.clustering.name == "co-spend"
    with shieldwall.open_clusters(chain, data=tmp_path) as clusters:
        shown = shieldwall.show_cluster(chain, identity("a"), clusters, data=tmp_path)
        assert (shown["size"], shown["received_amount"]) == (2, 200)
        (step,) = shieldwall.why_together(chain, identity("a"), identity("b"), clusters, data=tmp_path).steps
        assert step["rule"] == "co-spend"
        result = shieldwall.trace_money(chain, [identity("a")], clustering=clusters, data=tmp_path, tags=[])
    assert result.seed_amount == 200


def test_choke_points_and_families(chain, tmp_path):
    path = tmp_path / "ransom.csv"
    path.write_text(f"address,label,abuse\n{identity('c')},Northwind,ransomware\n")
    shieldwall.import_tags([path], data=tmp_path, network="regtest")
    paid = shieldwall.family_payments(chain, data=tmp_path)
    assert [row["family"] for row in paid.as_dict()["families"]] == ["Northwind"]
    assert shieldwall.family_services(chain, data=tmp_path).as_dict()["services"] == []
    found = shieldwall.choke_points(chain, [identity("a")], data=tmp_path).as_dict()
    assert found["points"][0]["name"] == identity("c")
    with pytest.raises(shieldwall.errors.UsageError, match="nothing to start from"):
        shieldwall.choke_points(chain, data=tmp_path)


def test_screening_a_list_keeps_its_own_columns(chain, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(f"id,wallet\n17,{identity('a')}\n")
    screening = shieldwall.screen(path, chain=chain, data=tmp_path)
    assert screening.rows[0]["row"] == {"id": "17", "wallet": identity("a")}
    assert "in_id" in screening.to_csv().splitlines()[0]
