"""The texts of the help page: what each status means, and how a page is read."""

from schemas.events.assessments import Status
from schemas.plan.values import Bilingual

STATUSES = (
    (
        Status.PENDING,
        Bilingual(
            vi="Chưa đến hạn và chưa có báo cáo nào được ghi nhận.",
            en="Not due yet, and nothing is on record.",
        ),
    ),
    (
        Status.ON_TIME,
        Bilingual(
            vi="Đã gửi đầy đủ trước khi hết hạn. Ngày ghi là hạn cuối vẫn còn được tính.",
            en="Sent complete before the deadline. The day that is named as the deadline still counts.",
        ),
    ),
    (
        Status.LATE,
        Bilingual(
            vi="Đã gửi đầy đủ, sau hạn. Số ngày trễ đếm từ ngày cuối cùng còn đúng hạn.",
            en="Sent complete, after the deadline. Days late are counted from the last day on time.",
        ),
    ),
    (
        Status.INCOMPLETE,
        Bilingual(
            vi="Đã gửi, còn thiếu phần phải có hoặc bị trả lại; phần thiếu được ghi cùng dòng.",
            en="Sent, but a part that is required is missing or the report was returned; what is missing stands beside "
            "it.",
        ),
    ),
    (
        Status.OVERDUE,
        Bilingual(vi="Hết hạn mà chưa có báo cáo nào.", en="The deadline has passed and nothing is on record."),
    ),
    (
        Status.EXEMPT,
        Bilingual(
            vi="Được miễn theo quyết định đã ghi nhận; không tính vào mẫu số.",
            en="Released by a recorded decision; not part of the denominator.",
        ),
    ),
    (
        Status.SUPERSEDED,
        Bilingual(
            vi="Đơn vị đã sáp nhập hoặc giải thể; đơn vị kế thừa phải gửi thay.",
            en="The agency was merged or dissolved; its successor owes the report.",
        ),
    ),
    (
        Status.ENDED_NO_SUCCESSOR,
        Bilingual(
            vi="Đơn vị đã chấm dứt; chưa có quyết định ai kế thừa.",
            en="The agency ended, and no decision says who succeeds to its duties.",
        ),
    ),
    (
        Status.OPEN,
        Bilingual(
            vi="Nhiệm vụ không có thời hạn, chưa ghi nhận kết quả; không bao giờ bị coi là trễ.",
            en="A duty without a date, not on record yet; it can never be late.",
        ),
    ),
    (
        Status.FULFILLED,
        Bilingual(vi="Nhiệm vụ không có thời hạn, đã ghi nhận kết quả.", en="A duty without a date, on record."),
    ),
)

PARAGRAPHS = (
    (
        Bilingual(vi="Con số và dấu vết", en="Numbers and their evidence"),
        Bilingual(
            vi="Mỗi con số là một liên kết tới danh sách những gì nó đếm. Địa chỉ của mỗi trang ghi đủ câu hỏi, nên có "
            "thể chép lại và gửi cho người khác cùng được xem.",
            en="Every number is a link to the list of what it counts. The address of each page holds the whole "
            "question, so that it can be copied and handed to anybody else who may read it.",
        ),
    ),
    (
        Bilingual(vi="Thời điểm", en="The moment"),
        Bilingual(
            vi="Bình thường các trang cho biết tình trạng bây giờ. Khi chọn một thời điểm khác, trang đổi màu và ghi "
            "rõ hai mốc: tình trạng lúc nào, và theo những gì đã ghi nhận đến lúc nào.",
            en="Pages show how things stand now. When another moment is chosen, the page changes its colour and names "
            "two instants: the one that the status is of, and the one up to which records count.",
        ),
    ),
    (
        Bilingual(vi="Khi thấy chưa đúng", en="Where something is wrong"),
        Bilingual(
            vi="Giữ lại biên nhận của báo cáo đã gửi và liên hệ cơ quan nhận báo cáo. Tình trạng luôn được tính lại từ "
            "các sự kiện đã ghi nhận; báo cáo gửi bổ sung, đính chính hoặc quyết định mới sẽ làm tình trạng thay đổi.",
            en="Keep the receipt of the report and ask the office that receives it. A status always follows from the "
            "recorded events; a correction, a further report or a new decision changes it.",
        ),
    ),
)
