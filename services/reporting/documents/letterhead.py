"""Who issues the report, to whom and under which symbol.

The number, the day and the signatory stay blank, because the document is a draft for a signature.
"""

from dataclasses import dataclass

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
DOCUMENT_TYPE = "BÁO CÁO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The fixed words of a document's head and foot (Decree 30/2020, Appendix I)."""

    superior: str = "NGÂN HÀNG CHÍNH SÁCH XÃ HỘI"
    issuer: str = "CHI NHÁNH TỈNH THANH HÓA"
    symbol: str = "BC-NHCSXH"
    place: str = "Thanh Hóa"
    addressee: str = "Chủ tịch Ủy ban nhân dân tỉnh Thanh Hóa"
    authority: str = "GIÁM ĐỐC"
    copies: tuple[str, ...] = (
        "Như trên",
        "Thường trực Tỉnh ủy, HĐND tỉnh (để báo cáo)",
        "Ngân hàng Chính sách xã hội Việt Nam (để báo cáo)",
    )
    archive_copy: str = "Lưu: VT"

    @property
    def number_line(self) -> str:
        """The number and symbol; the records office fills in the number."""
        return f"Số:         /{self.symbol}"

    def place_line(self, year: int) -> str:
        """Return the place and date; the day and month are filled in on the day of signing."""
        return f"{self.place}, ngày       tháng       năm {year}"

    @property
    def recipients(self) -> tuple[str, ...]:
        """The lines of `Nơi nhận`: each ends with a semicolon, the last with a full stop."""
        return (*(f"- {copy};" for copy in self.copies), f"- {self.archive_copy}.")
