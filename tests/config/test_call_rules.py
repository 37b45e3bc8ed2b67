"""What is dialled and shown, from `kai.yaml`."""

from pathlib import Path

import pytest

from kai_ari.config.call_rules import shown_number
from kai_ari.config.load import load


@pytest.mark.parametrize(
    ("numbers", "country", "more", "shown"),
    [
        ('{"100": {}, "+12125550100": {}}', "US", "", "+12125550100"),
        ('{"100": {}, "12125550100": {}}', "US", "", "+12125550100"),
        ('{"2125550100": {}, "+12125550101": {}}', "US", "", "+12125550100"),
        ('{"02079460018": {}}', "GB", "", "+442079460018"),
        ('{"442079460018": {}}', "GB", "", "+442079460018"),
        ('{"100": {}, "3001": {}, "*55": {}, "5550100": {}}', "US", "", ""),
        ('{"12125550100": {}}', "US", 'callbacks: {shown: "2125550177"}', "2125550177"),
    ],
)
def test_calls_show_the_first_number_that_can_be_called_from_outside(
    tmp_path: Path, numbers: str, country: str, more: str, shown: str
) -> None:
    """Written as the provider sends it, often without the +."""
    file = tmp_path / "kai.yaml"
    file.write_text(f"business: {{name: Rossi, country: {country}}}\nnumbers: {numbers}\n{more}\n")
    assert shown_number(load(file)) == shown
