"""What holds of what a client says of its clusters and its costs, where it says anything."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_core.contract import hooks_of
from sdt_dask_testing.client_given import ClientGiven, Try
from sdt_dask_testing.client_request import Way
from sdt_dask_testing.client_visits import Visit
from sdt_dask_testing.verdict import bullets, require

__all__ = ["ClientHeld"]


class ClientHeld(ClientGiven):
    """Tests of the hooks that `sdt-dask clusters` and `--max-cost` ask; skipped where a client has them not."""

    def test_list_clusters_names_the_live_cluster(self, contract_client: Visit) -> None:
        """While it is up its owner sees it, with what it holds."""
        self.claims("list_clusters")
        before = {told.get("name") for told in self.value(contract_client, "clusters before")}
        listed = self.value(contract_client, "clusters")
        name = self.contract_name
        strange = [told["type"] for told in listed if "type" in told]
        require(not strange, f"{name}.list_clusters yields {', '.join(strange)}; it yields ClusterRecord")
        new = [told for told in listed if told["name"] not in before]
        running = [told for told in new if told["running"]]
        require(
            len(running) == 1,
            f"{name}.list_clusters, while one cluster of it is up, names these running ones that it did not name "
            f"before: {[told['name'] for told in running] or 'none'}; yield a ClusterRecord with running=True for "
            "each cluster in which anything computes",
        )
        require(
            running[0]["resources"],
            f"{name}.list_clusters names the cluster {running[0]['name']!r} and no piece of it; list in resources all "
            "that remove_cluster would remove",
        )
        require(
            running[0]["zone"],
            f"{name}.list_clusters gives a time without a time zone; give started as datetime.now(timezone.utc) does",
        )

    def test_list_clusters_names_nothing_that_was_closed(self, contract_client: Visit) -> None:
        """What close() gave back is not listed as left over."""
        self.claims("list_clusters")
        left = self.value(contract_client, "clusters after")
        lines = [f"{told.get('name')}: {', '.join(told.get('resources', ()))}" for told in left]
        require(
            not left,
            f"{self.contract_name}.list_clusters still names after close():{bullets(lines)}\nRemove in close() all "
            "that make_client made, and wait until the service says that it is gone.",
        )

    def test_remove_cluster_of_an_unknown_name_is_a_client_error(self, contract_try: Try) -> None:
        """A misspelt name must not look like success."""
        self.claims("remove_cluster")
        report = contract_try(Way.LOOK).report
        step = "remove_cluster of an unknown name"
        raised = report.errors.get(step, f"nothing, and yielded {report.values.get(step)}")
        require(
            "ClientError" in report.kinds.get(step, ()),
            f"{self.contract_name}.remove_cluster, with a name that no cluster has, raised: {raised}\nRaise "
            "sdt_dask_core.errors.ClientError.",
        )

    def test_what_it_lists_it_can_remove(self) -> None:
        """Who lists leftovers removes them, too."""
        self.claims("list_clusters")
        require(
            "remove_cluster" in hooks_of(self.client_class),
            f"{self.contract_name} has list_clusters and no remove_cluster; write it, for sdt-dask clusters clean",
        )

    def test_cost_so_far_never_falls(self, contract_client: Visit) -> None:
        """Nothing before there is a cluster; then dollars that only grow. None where the client does not know."""
        self.claims("cost_so_far")
        costs = [self.value(contract_client, "cost_so_far before"), *self.value(contract_client, "cost_so_far")]
        told = ", ".join(map(repr, costs))
        if all(cost is None for cost in costs):
            return
        name = self.contract_name
        require(
            all(_is_amount(cost) for cost in costs),
            f"{name}.cost_so_far gave {told}; it gives US dollars, 0 or more, at any time, or None at any time",
        )
        require(costs[0] == 0, f"{name}.cost_so_far gave {told}; before make_client nothing was spent: give 0")
        require(costs == sorted(costs), f"{name}.cost_so_far gave {told}; what was spent never falls")

    @property
    def client_class(self) -> type:
        """The author's class."""
        cls: type = self.client  # type: ignore[attr-defined]
        return cls

    def claims(self, hook: str) -> None:
        """Skip the test where the client does not implement a hook, or joins a cluster that is not its own."""
        if hook not in hooks_of(self.client_class):
            pytest.skip(f"{self.contract_name} has no {hook}()")
        if self.joins and hook == "list_clusters":
            pytest.skip("the cluster is not the client's own")


def _is_amount(cost: Any) -> bool:
    return isinstance(cost, (int, float)) and not isinstance(cost, bool) and cost >= 0
