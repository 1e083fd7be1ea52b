"""The texts of the pages of a season, in both languages."""

from schemas.plan.values import Bilingual

SEASON_TEXTS = {
    "place_duties": Bilingual(vi="Danh sách", en="Duties"),
    "place_results": Bilingual(vi="Kết quả", en="Results"),
    "season_title": Bilingual(vi="Mùa báo cáo {period}", en="Reporting season: {period}"),
    "extended": Bilingual(vi="Được gia hạn", en="Extended"),
    "count_agencies": Bilingual(vi="{count} đơn vị", en="agencies: {count}"),
    "latest_report": Bilingual(vi="Báo cáo mới nhất", en="Latest report"),
    "expected_reports": Bilingual(vi="{count} đơn vị phải gửi", en="{count:report|reports} expected"),
    "needs_somebody": Bilingual(vi="Cần xử lý", en="Needs somebody"),
    "nobody_needed": Bilingual(vi="Không có việc nào cần người xử lý.", en="Nothing needs anybody now."),
    "queue_unreachable": Bilingual(vi="Chưa gửi và không liên hệ được", en="Silent, and out of reach"),
    "queue_urged": Bilingual(vi="Chưa gửi sau ba lần nhắc", en="Silent after three alerts"),
    "queue_returned": Bilingual(vi="Đã trả lại, chưa trả lời", en="Returned, and not answered"),
    "queue_incomplete": Bilingual(vi="Chưa đầy đủ", en="Incomplete"),
    "queue_reconcile": Bilingual(vi="Cần đối chiếu", en="To be reconciled"),
    "queue_withdrawn": Bilingual(vi="Đã thu hồi, chưa gửi lại", en="Withdrawn, and not sent again"),
    "queue_succession": Bilingual(vi="Chấm dứt, chưa rõ ai kế thừa", en="Ended, and nobody succeeds"),
    "queue_figures": Bilingual(vi="Số liệu cần xem lại", en="Figures to look at again"),
    "queue_age": Bilingual(vi="việc lâu nhất", en="the oldest"),
    "arrivals": Bilingual(vi="Tiến độ gửi", en="Arrivals"),
    "arrivals_hint": Bilingual(vi="lũy kế số đơn vị đã gửi đầy đủ", en="agencies that have reported completely"),
    "curve_title": Bilingual(
        vi="Số đơn vị đã gửi đầy đủ, từ {start} đến {end}", en="Agencies that have reported, {start} to {end}"
    ),
    "curve_now": Bilingual(
        vi="Đến nay {count} trên {expected} đơn vị đã gửi đầy đủ.", en="{count} of {expected} have reported so far."
    ),
    "curve_before": Bilingual(
        vi="Kỳ {period} cùng thời điểm: {count}; cuối biểu đồ: {final}.",
        en="{period} at the same time: {count}; at the end of the chart: {final}.",
    ),
    "curve_due": Bilingual(vi="hạn", en="due"),
    "curve_caption": Bilingual(
        vi="Đường đậm là kỳ này, đường gạch là kỳ trước, so theo ngày trước và sau hạn. Đường đi xuống khi báo cáo bị "
        "thu hồi hoặc trả lại.",
        en="The solid line is this period, the dashed one the period before, by days before and after the deadline. A "
        "line falls where a report is withdrawn or returned.",
    ),
    "curve_caption_alone": Bilingual(
        vi="Đường đi xuống khi báo cáo bị thu hồi hoặc trả lại.",
        en="The line falls where a report is withdrawn or returned.",
    ),
    "curve_table": Bilingual(vi="Bảng số của biểu đồ", en="The chart as a table"),
    "curve_table_caption": Bilingual(
        vi="Số đơn vị đã gửi đầy đủ đến hết mỗi ngày có thay đổi",
        en="Complete reports at the end of each day of change",
    ),
    "until_end_of": Bilingual(vi="Đến hết ngày", en="By the end of"),
    "reports": Bilingual(vi="Báo cáo", en="Reports"),
    "complete": Bilingual(vi="Gửi đầy đủ", en="Complete"),
    "silent": Bilingual(vi="Chưa gửi", en="Silent"),
    "results_so_far": Bilingual(vi="Kết quả đến nay", en="Results so far"),
    "all_results": Bilingual(vi="Mọi chỉ tiêu, từng đơn vị", en="Every indicator, every agency"),
    "indicators": Bilingual(vi="Các chỉ tiêu", en="Indicators"),
    "indicator": Bilingual(vi="Chỉ tiêu", en="Indicator"),
    "total_so_far": Bilingual(vi="Tổng đến nay", en="Total so far"),
    "change": Bilingual(vi="Thay đổi, cùng đơn vị", en="Change, same agencies"),
    "whole_year_before": Bilingual(vi="Cả kỳ năm trước", en="All of last year's"),
    "reached": Bilingual(vi="Đạt được", en="Reached"),
    "given_by": Bilingual(vi="Đơn vị có số", en="Given by"),
    "change_hint": Bilingual(
        vi="Thay đổi chỉ tính trên những đơn vị có số ở cả hai năm, chốt cùng ngày trong năm; tỷ lệ được tính từ các "
        "tổng.",
        en="A change is over the agencies that gave the figure in both years, as of the same day of the year; a ratio "
        "is worked out from totals.",
    ),
    "live_words": Bilingual(
        vi="Có {changed} thay đổi từ khi mở trang; {actual} trên {expected} đơn vị đã gửi đầy đủ.",
        en="Changes since the page was opened: {changed}; {actual} of {expected} agencies have reported completely.",
    ),
    "live_reload": Bilingual(vi="Tải lại", en="Load again"),
    "other_periods": Bilingual(vi="Chọn kỳ", en="Choose a period"),
    "siblings": Bilingual(vi="Cùng kỳ:", en="In the same period:"),
    "duties_title": Bilingual(vi="{count} nghĩa vụ", en="Duties: {count}"),
    "duties_list": Bilingual(vi="Danh sách nghĩa vụ", en="List of duties"),
    "filters": Bilingual(vi="Bộ lọc", en="Filters"),
    "chosen": Bilingual(vi="Đang lọc", en="Chosen"),
    "give_up": Bilingual(vi="bỏ lọc này", en="remove this filter"),
    "facet_status": Bilingual(vi="Tình trạng", en="Status"),
    "facet_group": Bilingual(vi="Nhóm", en="Group"),
    "facet_obligation": Bilingual(vi="Nghĩa vụ", en="Duty"),
    "facet_flag": Bilingual(vi="Ghi chú", en="Notes"),
    "facet_missing": Bilingual(vi="Còn thiếu", en="Missing"),
    "facet_queue": Bilingual(vi="Cần xử lý", en="Needs somebody"),
    "pages": Bilingual(vi="Các trang của danh sách", en="Pages of the list"),
    "rows_of": Bilingual(vi="{count} dòng trên {total}", en="{count} of {total} rows"),
    "first_page": Bilingual(vi="Về trang đầu", en="First page"),
    "next_page": Bilingual(vi="Trang sau", en="Next page"),
    "export": Bilingual(vi="Tải đúng danh sách này:", en="Exactly this list as:"),
    "results_title": Bilingual(vi="Kết quả {period}", en="Results: {period}"),
    "results_sentence": Bilingual(
        vi="{standing} trong {expected} đơn vị đã có báo cáo; số liệu được cộng từ các báo cáo đang có hiệu lực.",
        en="{standing} of {expected} agencies have a report on file; the figures are the sums of those that stand.",
    ),
    "results_to_review": Bilingual(vi="Số cần xem lại: {count}.", en="Figures to look at again: {count}."),
    "review_hint": Bilingual(
        vi="Không số nào bị từ chối; các tổng có cả những số này.",
        en="No figure is refused; the totals contain these.",
    ),
    "nothing_to_review": Bilingual(vi="Không có số nào bất thường.", en="No figure looks wrong."),
    "not_given": Bilingual(vi="Ai chưa cho số", en="Who has not given a figure"),
    "all_given": Bilingual(vi="Mọi đơn vị được hỏi đều đã cho số.", en="Everybody who is asked has given it."),
    "figures_by_agency": Bilingual(vi="Số liệu từng đơn vị", en="Figures by agency"),
    "table_of": Bilingual(vi="Bảng: {title}", en="Table: {title}"),
    "and_more": Bilingual(
        vi="và {count} đơn vị khác, có đủ trong tệp JSON, CSV", en="and {count} more, all in the file"
    ),
    "total": Bilingual(vi="Tổng", en="Total"),
    "compiled_title": Bilingual(vi="{agency}: báo cáo của cấp dưới", en="{agency}: the reports from below"),
    "compiled_back": Bilingual(vi="Nghĩa vụ báo cáo của đơn vị", en="What the agency owes"),
    "compiled_link": Bilingual(
        vi="Cấp dưới: đơn vị nào đã gửi, cộng lại bao nhiêu", en="Below: who has sent, and what it adds up to"
    ),
    "compiled_sent": Bilingual(
        vi="{sent} trong {count} đơn vị cấp dưới đã gửi.", en="{sent} of the {count:agency|agencies} below have sent."
    ),
    "compiled_differs": Bilingual(
        vi="Mọi đơn vị cấp dưới đã có số liệu, nhưng báo cáo tổng hợp khác tổng của các đơn vị: {names}.",
        en="Every agency below has given the figure, and the compiled report differs from their sum: {names}.",
    ),
    "compiled_workbook": Bilingual(vi="Tải bảng tổng hợp (XLSX)", en="Download as a workbook (XLSX)"),
    "compiled_table": Bilingual(vi="Số liệu của cấp dưới: {title}", en="Figures from below: {title}"),
    "compiled_named": Bilingual(vi="Đã đưa vào báo cáo tổng hợp", en="Named in the compiled report"),
    "compiled_yes": Bilingual(vi="có", en="yes"),
    "compiled_sum": Bilingual(vi="Cộng các đơn vị", en="Sum of the agencies"),
    "compiled_given": Bilingual(vi="{given}/{count} đơn vị", en="{given} of {count}"),
    "compiled_own": Bilingual(vi="Báo cáo tổng hợp", en="Compiled report"),
    "compiled_nothing": Bilingual(
        vi="Trong kỳ này đơn vị không phải tổng hợp báo cáo của cấp dưới.",
        en="The agency compiles no reports from below in this period.",
    ),
    "no_figures_asked": Bilingual(
        vi="Kỳ này không yêu cầu chỉ tiêu nào.", en="No figures are asked for in this period."
    ),
}
