"""The words of the forms by which an officer answers a report, in both languages.

They are courteous on purpose: a bank asks departments over which it has no power.
"""

from collections.abc import Mapping

from schemas.plan.values import Bilingual

TEXTS = {
    "title": Bilingual(vi="Trả lời báo cáo", en="Answer the report"),
    "to_agency": Bilingual(vi="Về trang của đơn vị", en="Back to the agency"),
    "report": Bilingual(vi="Báo cáo được trả lời", en="The report that is answered"),
    "undocumented": Bilingual(vi="không ghi số", en="without a number"),
    "received": Bilingual(vi="nhận lúc", en="received"),
    "stands": Bilingual(vi="đang được tính", en="the one that counts"),
    "no_report": Bilingual(
        vi="Đơn vị chưa gửi báo cáo cho nghĩa vụ này, nên chưa có gì để trả lại hoặc chấp nhận.",
        en="The agency has sent no report for this duty yet, so there is nothing to return or to accept.",
    ),
    "no_key": Bilingual(
        vi="Chưa trả lại hoặc chấp nhận báo cáo tại đây được, vì trang này chưa có khóa gửi. Hãy báo người vận hành "
        "(DONDOC_REPORTING_INTAKE_KEY).",
        en="Reports cannot be returned or accepted here yet, because this page has no key to post with. Tell the "
        "operator (DONDOC_REPORTING_INTAKE_KEY).",
    ),
    "answers": Bilingual(vi="Đã trả lời trước đây", en="Answered before"),
    "was_returned": Bilingual(vi="Trả lại, đề nghị hoàn thiện", en="Returned for correction"),
    "was_accepted": Bilingual(vi="Chấp nhận", en="Accepted"),
    "return": Bilingual(vi="Trả lại, đề nghị hoàn thiện", en="Return for correction"),
    "reason": Bilingual(vi="Lý do", en="Reason"),
    "reason_hint": Bilingual(
        vi="Đơn vị đọc nguyên văn lý do này trong thư và trên biểu mẫu.",
        en="The agency reads this, word for word, in its mail and on its form.",
    ),
    "respond_by": Bilingual(vi="Đề nghị gửi lại, hạn hết ngày", en="To be sent again by the end of"),
    "respond_by_hint": Bilingual(
        vi="Không bắt buộc. Trước hạn này đơn vị không bị đôn đốc; để trống thì không đôn đốc nữa.",
        en="Optional. Before it nobody urges the agency; without it nobody does at all.",
    ),
    "do_return": Bilingual(vi="Trả lại báo cáo", en="Return the report"),
    "accept": Bilingual(vi="Chấp nhận báo cáo", en="Accept the report"),
    "note": Bilingual(vi="Ghi chú", en="Note"),
    "note_hint": Bilingual(
        vi="Không bắt buộc. Chấp nhận một báo cáo đã trả lại thì lần trả lại đó được rút.",
        en="Optional. Accepting a report that was returned takes that return back.",
    ),
    "do_accept": Bilingual(vi="Chấp nhận báo cáo", en="Accept the report"),
    "grade_title": Bilingual(vi="Đánh giá của cán bộ", en="The officer's own grade"),
    "by_rules": Bilingual(vi="Theo quy tắc của kế hoạch", en="By the rules of the plan"),
    "not_by_rules": Bilingual(vi="Quy tắc của kế hoạch chưa cho mức nào", en="The rules of the plan give no grade"),
    "recorded": Bilingual(vi="Cán bộ đã ghi gần nhất", en="Recorded last"),
    "grade": Bilingual(vi="Mức đánh giá", en="Grade"),
    "choose": Bilingual(vi="Hãy chọn", en="Choose"),
    "sentence": Bilingual(vi="Nhận xét", en="In a sentence"),
    "sentence_hint": Bilingual(
        vi="Đứng bên cạnh mức theo quy tắc, không thay mức đó; in trong báo cáo năm.",
        en="Stands beside the grade by the rules and does not replace it; printed in the annual report.",
    ),
    "do_grade": Bilingual(vi="Ghi đánh giá", en="Record the grade"),
    "done_returned": Bilingual(
        vi="Đã ghi nhận việc trả lại báo cáo. Đơn vị được báo qua thư và trên biểu mẫu; tình trạng ở đây đổi sau vài "
        "giây.",
        en="The return is on record. The agency is told by mail and on its form; the status here changes within "
        "seconds.",
    ),
    "done_accepted": Bilingual(
        vi="Đã ghi nhận việc chấp nhận báo cáo. Tình trạng ở đây đổi sau vài giây.",
        en="The acceptance is on record. The status here changes within seconds.",
    ),
    "done_graded": Bilingual(
        vi="Đã ghi nhận đánh giá. Đánh giá hiện ở đây sau vài giây.",
        en="The grade is on record. It shows here within seconds.",
    ),
    "problem": Bilingual(vi="Chưa ghi nhận được", en="Nothing was recorded"),
    "invalid": Bilingual(
        vi="Hãy xem chỗ được đánh dấu bên dưới rồi gửi lại.", en="See the marked field below, then send it again."
    ),
    "unavailable": Bilingual(
        vi="Nơi tiếp nhận tạm thời không trả lời, nên chưa biết đã ghi nhận hay chưa. Nội dung đã nhập còn nguyên bên "
        "dưới: hãy bấm gửi lại sau giây lát. Gửi lại không bị ghi hai lần.",
        en="What records it does not answer for now, so it is not known whether it was recorded. What you typed is "
        "kept below: press the button again in a moment. It is not recorded twice.",
    ),
    "key_refused": Bilingual(
        vi="Nơi tiếp nhận không nhận khóa của trang này. Hãy báo người vận hành cấp khóa mới. Nội dung đã nhập còn "
        "nguyên bên dưới.",
        en="The key of this page is refused. Ask the operator to give it another. What you typed is kept below.",
    ),
    "refused": Bilingual(
        vi="Nơi tiếp nhận từ chối nội dung này: {detail}", en="What records it refused this: {detail}"
    ),
}


def choose_texts(language: str) -> Mapping[str, str]:
    """Return all words in one language."""
    return {name: one.in_language(language) for name, one in TEXTS.items()}
