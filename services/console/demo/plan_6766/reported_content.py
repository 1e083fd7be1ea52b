"""The figures and texts that the agencies of the demo report: made up, plausible, and the same in every run.

A figure depends on agency and year alone, and grows from year to year. Its size is that of the province: loans of some
9,900 tỷ đồng in 2020, of them 280 tỷ from the local budget. Money is in million đồng.
"""

from services.console.demo.draws import draw_number

FIRST_YEAR = 2016
FINANCE, LABOUR = "so-tc", "so-ldtbxh"
DISTRICT_PREFIXES = ("h-", "tx-", "tp-")  # of agency ids: huyện, thị xã, thành phố

# Poor and near-poor households of ten thousand, by year. The poverty line was raised for 2021; 3.52 % at the end of
# 2023 is what the province has published, the others are near to it.
_POOR = {2016: 1100, 2017: 841, 2018: 584, 2019: 327, 2020: 220, 2021: 677, 2022: 499, 2023: 352, 2024: 241}
_NEAR_POOR = {2016: 1010, 2017: 930, 2018: 850, 2019: 745, 2020: 640, 2021: 720, 2022: 655, 2023: 560, 2024: 495}
_HOUSEHOLDS_AT_FIRST = 905_000

_RESULTS_OF_DEPARTMENTS = (
    "Đã lồng ghép {number} lớp tập huấn kỹ thuật sản xuất với cho vay vốn chính sách tại các huyện miền núi.",
    "Đã tham mưu Ủy ban nhân dân tỉnh {number} văn bản chỉ đạo liên quan đến tín dụng chính sách xã hội.",
    "Đã phối hợp kiểm tra việc sử dụng vốn vay tại {number} xã; kiến nghị xử lý kịp thời các tồn tại.",
    "Đã phổ biến Chỉ thị số 40-CT/TW đến toàn thể công chức, viên chức; đăng {number} tin, bài tuyên truyền.",
    "Đã rà soát, cung cấp danh sách đối tượng thụ hưởng của {number} xã cho Ngân hàng Chính sách xã hội.",
)
_RESULTS_OF_DISTRICTS = (
    "Điểm giao dịch xã hoạt động ổn định tại trụ sở Ủy ban nhân dân {number} xã, thị trấn.",
    "Ban đại diện Hội đồng quản trị huyện đã kiểm tra {number} xã, xử lý dứt điểm các tồn tại được nêu.",
    "Hội đồng nhân dân huyện đã bố trí vốn ủy thác ngay từ đầu năm; {number} xã hoàn thành chỉ tiêu dư nợ.",
    "Đã củng cố {number} Tổ tiết kiệm và vay vốn xếp loại trung bình, yếu.",
)
_TASKS = (
    "Tiếp tục bố trí ngân sách ủy thác sang Ngân hàng Chính sách xã hội; rà soát, xác nhận kịp thời đối tượng vay vốn.",
    "Duy trì giao ban định kỳ tại các điểm giao dịch xã; củng cố các Tổ tiết kiệm và vay vốn còn yếu.",
    "Tăng cường kiểm tra việc sử dụng vốn vay; phối hợp thu hồi nợ quá hạn, nợ đến hạn.",
)
_SHORTCOMINGS = (
    "Nguồn vốn ngân sách địa phương ủy thác còn thấp so với nhu cầu vay của nhân dân trên địa bàn.",
    "Một số Tổ tiết kiệm và vay vốn sinh hoạt chưa đều; ghi chép sổ sách chưa đầy đủ.",
    "Công tác tuyên truyền ở một số thôn, bản vùng cao còn hạn chế do giao thông khó khăn.",
)
_PROPOSALS = (
    "Đề nghị UBND tỉnh bố trí thêm vốn ủy thác từ ngân sách tỉnh để cho vay giải quyết việc làm.",
    "Đề nghị Ngân hàng Chính sách xã hội Việt Nam nâng mức cho vay chương trình nước sạch và vệ sinh môi trường.",
    "Đề nghị kéo dài thời hạn cho vay hộ mới thoát nghèo để người vay ổn định sản xuất.",
    "Đề nghị tập huấn nghiệp vụ hằng năm cho Ban quản lý các Tổ tiết kiệm và vay vốn.",
    "Đề nghị hỗ trợ kinh phí sửa chữa, nâng cấp điểm giao dịch tại các xã miền núi.",
)
_SILENT_OF_TEN = 2  # so many of ten districts propose nothing


def draw_figures(agency: str, year: int) -> dict[str, int]:
    """Return what *agency* reports of *year*: every figure that plan 6766 asks of it."""
    is_district = agency.startswith(DISTRICT_PREFIXES)
    low, high = (18, 60) if is_district else (1, 6)
    inspections = draw_number(f"{agency}/{year}/inspections", low, high)
    publicity = draw_number(f"{agency}/{year}/publicity", 2 * low, 3 * high)
    counted = {"inspections": inspections, "publicity_items": publicity}
    if is_district:
        return {**_draw_budget(agency, year, 1_200, 3_200), **_draw_loans(agency, year), **counted}
    if agency == FINANCE:
        return {**_draw_budget(agency, year, 60_000, 64_000), **counted}
    review = _review_households(year) if agency == LABOUR else {}
    return {"entrusted_local_budget": 0, **review, **counted}


def write_sections(agency: str, year: int) -> dict[str, str]:
    """Return the texts of the report of *agency* on *year*; a department writes less than a district."""
    number = draw_number(f"{agency}/{year}/results", 3, 29)
    if not agency.startswith(DISTRICT_PREFIXES):
        return {"results": _choose(_RESULTS_OF_DEPARTMENTS, f"{agency}/{year}/results").format(number=f"{number:02d}")}
    results = _choose(_RESULTS_OF_DISTRICTS, f"{agency}/{year}/results").format(number=f"{number:02d}")
    loans, entrusted = (draw_figures(agency, year)[code] for code in ("outstanding_loans", "entrusted_local_budget"))
    documents = draw_number(f"{agency}/{year}/documents", 2, 9)
    sections = {
        "results": f"{results} Tổng dư nợ đạt {_write(loans)} triệu đồng; vốn ngân sách ủy thác lũy kế "
        f"{_write(entrusted)} triệu đồng.",
        "direction": f"Đã ban hành {documents:02d} văn bản chỉ đạo; Ban đại diện HĐQT họp định kỳ hằng quý.",
        "shortcomings": _choose(_SHORTCOMINGS, f"{agency}/{year}/shortcomings"),
        "next_year": _choose(_TASKS, f"{agency}/{year}/tasks"),
    }
    if draw_number(f"{agency}/{year}/proposes", 0, 10) < _SILENT_OF_TEN:
        return sections
    return {**sections, "proposals": _choose(_PROPOSALS, f"{agency}/{year}/proposals")}


def _draw_budget(agency: str, year: int, low: int, high: int) -> dict[str, int]:
    """Return the local budget that is entrusted: it grows by a fifth a year, more or less, and never shrinks."""
    entrusted = _grow(f"{agency}/entrusted", year, draw_number(f"{agency}/entrusted", low, high), (160, 290))
    before = _grow(f"{agency}/entrusted", year - 1, draw_number(f"{agency}/entrusted", low, high), (160, 290))
    return {"entrusted_local_budget": entrusted, "entrusted_added_in_year": entrusted - before}


def _draw_loans(agency: str, year: int) -> dict[str, int]:
    """Return the figures of lending in a district; what is outstanding follows from lending and collection."""
    first = draw_number(f"{agency}/outstanding", 170_000, 410_000)
    outstanding = _grow(f"{agency}/outstanding", year, first, (45, 95))
    before = _grow(f"{agency}/outstanding", year - 1, first, (45, 95))
    lending = outstanding * draw_number(f"{agency}/{year}/lending", 250, 310) // 1000
    since = year - FIRST_YEAR
    customers = outstanding * 10 // (290 + 12 * since + draw_number(f"{agency}/loan", 0, 50))
    groups = customers // draw_number(f"{agency}/group", 36, 46)
    return {
        "lending_turnover": lending,
        "collection_turnover": before + lending - outstanding,
        "outstanding_loans": outstanding,
        **_split_by_programme(agency, outstanding, since),
        **_split_by_organisation(agency, outstanding),
        "overdue_debt": outstanding * draw_number(f"{agency}/{year}/overdue", 7, 21) // 10_000,
        "frozen_debt": outstanding * draw_number(f"{agency}/frozen", 2, 8) // 10_000,
        "customers": customers,
        "borrowing_turns": lending // (40 + 3 * since),
        "loan_groups": groups,
        "loan_groups_good": groups * draw_number(f"{agency}/{year}/good", 930, 990) // 1000,
        "loan_groups_weak": groups * draw_number(f"{agency}/{year}/weak", 0, 9) // 1000,
        # Communes were merged at the end of 2019.
        "transaction_points": draw_number(f"{agency}/points", 12, 30) + (3 if year < 2020 else 0),  # noqa: PLR2004
    }


def _split_by_programme(agency: str, outstanding: int, since: int) -> dict[str, int]:
    poor = outstanding * (310 - 15 * since + draw_number(f"{agency}/poor", 0, 60)) // 1000
    near_poor = outstanding * (190 + draw_number(f"{agency}/near-poor", 0, 40)) // 1000
    escaped = outstanding * (110 + 4 * since + draw_number(f"{agency}/escaped", 0, 30)) // 1000
    return {
        "outstanding_poor": poor,
        "outstanding_near_poor": near_poor,
        "outstanding_newly_escaped": escaped,
        "outstanding_other_programmes": outstanding - poor - near_poor - escaped,
    }


def _split_by_organisation(agency: str, outstanding: int) -> dict[str, int]:
    """Return the loans through the four organisations, of which the bank itself keeps about one in a hundred."""
    women = outstanding * (380 + draw_number(f"{agency}/women", 0, 40)) // 1000
    farmers = outstanding * (320 + draw_number(f"{agency}/farmers", 0, 30)) // 1000
    veterans = outstanding * (140 + draw_number(f"{agency}/veterans", 0, 20)) // 1000
    through_all = outstanding * draw_number(f"{agency}/through", 985, 996) // 1000
    return {
        "outstanding_farmers": farmers,
        "outstanding_women": women,
        "outstanding_veterans": veterans,
        "outstanding_youth": through_all - women - farmers - veterans,
    }


def _review_households(year: int) -> dict[str, int]:
    households = _grow("households", year, _HOUSEHOLDS_AT_FIRST, (6, 11))
    return {
        "households": households,
        "poor_households": households * _POOR[year] // 10_000,
        "near_poor_households": households * _NEAR_POOR[year] // 10_000,
    }


def _grow(seed: str, year: int, first: int, per_mille: tuple[int, int]) -> int:
    """Return *first* grown every year since the first by a rate of [low, high) per mille that is drawn for the year."""
    figure = first
    for passed in range(FIRST_YEAR + 1, year + 1):
        figure += figure * draw_number(f"{seed}/{passed}/growth", *per_mille) // 1000
    # The year before the first one is only needed for what was added in it.
    return figure * 9 // 10 if year < FIRST_YEAR else figure


def _choose(texts: tuple[str, ...], seed: str) -> str:
    return texts[draw_number(seed, 0, len(texts))]


def _write(figure: int) -> str:
    return f"{figure:,}".replace(",", ".")
