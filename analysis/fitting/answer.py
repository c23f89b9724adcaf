"""A tree of results as its user holds it: a DataTree that tells in a line what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from xarray import DataTree

from ...data.export import answer_html
from ...data.mistakes import listed
from .store import run_config
from .summary import rates

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("outcome", "disease", "q50", "q2.5", "q97.5", "studies", "patients", "evidence")


class Answer(DataTree):
    """A tree of results; parts of one are shown as xarray shows them."""

    __slots__ = ()
    #: The group of the main table.
    _main: ClassVar[str]

    @classmethod
    def of(cls, tree: DataTree) -> Self:
        """Hold a tree; its arrays are shared."""
        held = cls.from_dict({str(name): each.to_dataset() for name, each in tree.children.items()})
        held.attrs.update(tree.attrs)
        return held

    def to_frame(self) -> pd.DataFrame:
        """Give the main table."""
        raise NotImplementedError

    def _title(self) -> str:
        raise NotImplementedError

    def _page(self) -> str:
        raise NotImplementedError

    @property
    def _is_whole(self) -> bool:
        return self.is_root and "run_config" in self.attrs and self._main in self.children

    def __repr__(self) -> str:
        """Say in a line what it is, and what to call."""
        return f"<{self._title()}>" if self._is_whole else super().__repr__()

    def _repr_html_(self) -> str:
        """Show what it is, its main table, and what to call next."""
        return self._page() if self._is_whole else super()._repr_html_()


class Fit(Answer):
    """A fit: xarray's DataTree with groups as ArviZ names them."""

    __slots__ = ()
    _main = "rates"

    def to_frame(self) -> pd.DataFrame:
        """Give the rates: one row an outcome, disease and quantity, as `rates`."""
        return rates(self)

    def _title(self) -> str:
        config = run_config(self)
        return (
            f"fit of {listed(config['outcomes'])}: {config['pooling']} pooling, priors "
            f"{config['priors']['name']}, engine {config['engine']}; mp.check(fit), mp.rates(fit), "
            "mp.plot.forest(fit), .children"
        )

    def _page(self) -> str:
        table = self.to_frame()
        after = (
            "Medians and central 95 % intervals; not to be used before mp.check(fit) has passed "
            "it. Next: mp.check(fit), mp.plot.forest(fit), mp.compare_priors(fits=fit).",
            f"Groups: {', '.join(map(str, self.children))}.",
        )
        shown = table.loc[table["quantity"] == "rate", list(_SHOWN)]
        return answer_html(self._title().partition(";")[0], [], shown, after)
