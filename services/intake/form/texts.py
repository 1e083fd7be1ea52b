"""The texts of the form's pages in Vietnamese and English. They are courteous, and each refusal names a remedy."""

from schemas.events.assessments import Status
from schemas.plan.values import Bilingual

TEXTS = {
    "brand": Bilingual.of(vi="Đôn Đốc", en="Đôn Đốc"),
    "language": Bilingual.of(vi="English", en="Tiếng Việt"),
    "parts": Bilingual.of(vi="Báo cáo của các đơn vị trực thuộc", en="Reports of the agencies below"),
    "heading": Bilingual.of(vi="Gửi báo cáo", en="Send a report"),
    "agency": Bilingual.of(vi="Cơ quan báo cáo", en="Reporting agency"),
    "filer": Bilingual.of(vi="Đơn vị kế thừa gửi thay", en="Filed on its behalf by its successor"),
    "period": Bilingual.of(vi="Kỳ báo cáo", en="Reporting period"),
    "window": Bilingual.of(vi="Số liệu", en="Figures cover"),
    "recipient": Bilingual.of(vi="Nơi nhận", en="Recipient"),
    "basis": Bilingual.of(vi="Căn cứ", en="Basis"),
    "deadline": Bilingual.of(vi="Hạn cuối", en="Due by"),
    "deadline_unsure": Bilingual.of(
        vi="chưa tính gia hạn, nếu có quyết định gia hạn", en="an extension, if granted, is not counted here"
    ),
    "document": Bilingual.of(vi="Văn bản", en="Document"),
    "content": Bilingual.of(vi="Nội dung báo cáo", en="Content"),
    "figures": Bilingual.of(vi="Số liệu", en="Figures"),
    "files": Bilingual.of(vi="Tệp đính kèm", en="Files"),
    "needed": Bilingual.of(vi="bắt buộc", en="needed"),
    "optional": Bilingual.of(vi="không bắt buộc", en="optional"),
    "needed_note": Bilingual.of(vi="Dấu * là nội dung bắt buộc.", en="A star marks what is needed."),
    "kept": Bilingual.of(vi="Tệp đã tải lên (bỏ chọn để không gửi)", en="Files received so far (untick to leave out)"),
    "choose": Bilingual.of(vi="Chọn tệp", en="Choose files"),
    "kinds": Bilingual.of(
        vi="Nhận PDF, DOCX, XLSX, ODT, ODS, JPEG, PNG; tổng dung lượng không quá {size} MB.",
        en="PDF, DOCX, XLSX, ODT, ODS, JPEG, PNG; at most {size} MB together.",
    ),
    "check": Bilingual.of(vi="Kiểm tra", en="Check"),
    "send": Bilingual.of(vi="Gửi báo cáo", en="Send"),
    "send_anyway": Bilingual.of(vi="Vẫn gửi báo cáo chưa đầy đủ", en="Send it incomplete all the same"),
    "send_unchanged": Bilingual.of(vi="Số liệu đúng, vẫn gửi báo cáo", en="The figures are right, send the report"),
    "check_note": Bilingual.of(
        vi="“Kiểm tra” chỉ xem báo cáo còn thiếu gì, chưa gửi và chưa ghi nhận.",
        en="“Check” only tells what is still missing; nothing is sent or recorded.",
    ),
    "faults": Bilingual.of(vi="Chưa gửi được. Vui lòng xem lại:", en="Not sent yet. Please look at:"),
    "missing": Bilingual.of(
        vi="Chưa gửi. Báo cáo còn thiếu các nội dung sau:", en="Not sent yet. The report still lacks the following:"
    ),
    "missing_note": Bilingual.of(
        vi="Báo cáo chưa đầy đủ vẫn được tiếp nhận nhưng chưa được tính là hoàn thành nhiệm vụ.",
        en="An incomplete report is received, but does not discharge the duty.",
    ),
    "findings": Bilingual.of(
        vi="Đề nghị kiểm tra lại các số liệu sau (chưa gửi; nếu số liệu đúng, hãy chọn vẫn gửi):",
        en="Please check these figures (nothing is sent yet; if they are right, send the report all the same):",
    ),
    "complete": Bilingual.of(
        vi="Báo cáo đã đầy đủ. Nhấn “Gửi báo cáo” để gửi chính thức; hiện chưa có gì được ghi nhận.",
        en="The report is complete. Press “Send” to hand it in; nothing is recorded yet.",
    ),
    "in_time": Bilingual.of(vi="Nếu gửi bây giờ, báo cáo đúng hạn.", en="Sent now, it is in time."),
    "too_late": Bilingual.of(vi="Nếu gửi bây giờ, báo cáo quá hạn.", en="Sent now, it is late."),
    "cannot_check": Bilingual.of(
        vi="Hiện chưa kiểm tra được mức độ đầy đủ; vẫn có thể gửi báo cáo bình thường.",
        en="Completeness cannot be checked just now; the report can be sent all the same.",
    ),
    "on_file_complete": Bilingual.of(
        vi="Hệ thống đã nhận đầy đủ báo cáo này. Chỉ gửi thêm nếu cần sửa đổi hoặc bổ sung.",
        en="This report has been received in full. Send again only to change or add to it.",
    ),
    "on_file_incomplete": Bilingual.of(
        vi="Hệ thống đã nhận báo cáo này nhưng chưa đầy đủ. Kính đề nghị gửi bản bổ sung.",
        en="This report has been received, but is not complete. Please send what is missing.",
    ),
    "returned": Bilingual.of(
        vi="Nơi nhận kính đề nghị Quý cơ quan hoàn thiện báo cáo đã gửi và gửi bản thay thế tại đây.",
        en="The recipient kindly asks your agency to revise the report and to send the new version here.",
    ),
    "returned_reason": Bilingual.of(vi="Nội dung đề nghị hoàn thiện", en="To be revised"),
    "respond_by": Bilingual.of(vi="Thời hạn gửi bản thay thế", en="New version due by"),
    "receipt": Bilingual.of(vi="Biên nhận báo cáo", en="Receipt"),
    "received": Bilingual.of(
        vi="Báo cáo đã được tiếp nhận. Trân trọng cảm ơn Quý cơ quan.", en="The report has been received. Thank you."
    ),
    "receiptid": Bilingual.of(vi="Số biên nhận", en="Receipt number"),
    "receivedtime": Bilingual.of(vi="Thời điểm tiếp nhận", en="Received at"),
    "event": Bilingual.of(vi="Mã sự kiện", en="Event"),
    "sha256": Bilingual.of(vi="Mã kiểm tra nội dung (SHA-256)", en="Digest of the content (SHA-256)"),
    "pdf": Bilingual.of(vi="Tải biên nhận (PDF)", en="Download the receipt (PDF)"),
    "keep": Bilingual.of(
        vi="Vui lòng lưu biên nhận này. Gửi lại đúng báo cáo này vẫn nhận được biên nhận đầu tiên.",
        en="Please keep this receipt. Sending the same report again gives the first receipt again.",
    ),
    "back": Bilingual.of(vi="Gửi bản sửa đổi, bổ sung", en="Send a change or addition"),
    "footer": Bilingual.of(
        vi="Trang này chỉ dành cho cơ quan được gửi liên kết; không chuyển liên kết cho người khác.",
        en="This page is for the agency that was sent the link; please do not pass the link on.",
    ),
    "proof_title": Bilingual.of(vi="XÁC NHẬN TIẾP NHẬN BÁO CÁO", en="RECEIPT OF A REPORT"),
    "proof_document": Bilingual.of(vi="Văn bản báo cáo", en="Document"),
    "proof_duty": Bilingual.of(vi="Nội dung báo cáo", en="Report"),
    "proof_signature": Bilingual.of(
        vi="Chữ ký số (Ed25519), kiểm tra được ngoại tuyến bằng lệnh “dondoc receipt verify”",
        en="Signature (Ed25519), to be checked offline with “dondoc receipt verify”",
    ),
    "proof_note": Bilingual.of(
        vi="Giấy này do hệ thống lập tự động tại thời điểm tiếp nhận, không cần chữ ký tay và đóng dấu.",
        en="Made automatically when the report was received; it needs no signature by hand and no stamp.",
    ),
}
NOT_OWED = {
    Status.NOT_APPLICABLE: Bilingual.of(
        vi="Theo dữ liệu hiện có, cơ quan không thuộc đối tượng phải gửi báo cáo này.",
        en="As far as is known, the agency does not owe this report.",
    ),
    Status.EXEMPT: Bilingual.of(
        vi="Cơ quan đã được miễn báo cáo này; báo cáo gửi thêm được ghi nhận là tự nguyện.",
        en="The agency is exempt from this report; what is sent is recorded as voluntary.",
    ),
    Status.SUPERSEDED: Bilingual.of(
        vi="Nhiệm vụ này đã chuyển sang đơn vị kế thừa.", en="This duty has passed to the agency's successor."
    ),
    Status.ENDED_NO_SUCCESSOR: Bilingual.of(
        vi="Cơ quan đã kết thúc hoạt động và chưa có đơn vị kế thừa.",
        en="The agency has ended and has no successor so far.",
    ),
}
NO_LINK = (
    Bilingual.of(vi="Liên kết không hợp lệ", en="This link is not valid"),
    Bilingual.of(
        vi="Liên kết bị thiếu hoặc đã bị thay đổi. Vui lòng mở lại liên kết từ thư nhắc gần nhất (đủ cả dòng), "
        "hoặc đề nghị nơi gửi thư cấp lại.",
        en="The link is cut short or was changed. Please open it again from the latest reminder (the whole line), or "
        "ask the sender of the reminder for a new one.",
    ),
)
EXPIRED = (
    Bilingual.of(vi="Liên kết đã hết hạn", en="This link has expired"),
    Bilingual.of(
        vi="Vui lòng dùng liên kết trong thư nhắc mới nhất. Nếu không có, kính đề nghị Quý cơ quan liên hệ nơi gửi thư "
        "nhắc để được cấp liên kết mới; báo cáo vẫn được tiếp nhận.",
        en="Please use the link in the latest reminder. If there is none, ask the sender of the reminder for a new "
        "link; the report is still taken.",
    ),
)
REVOKED = (
    Bilingual.of(vi="Liên kết đã bị thu hồi", en="This link has been revoked"),
    Bilingual.of(
        vi="Liên kết này không còn dùng được. Vui lòng dùng liên kết trong thư nhắc mới nhất, hoặc kính đề nghị Quý cơ "
        "quan liên hệ nơi gửi thư nhắc để được cấp liên kết mới.",
        en="This link is good no longer. Please use the link in the latest reminder, or ask the sender of the reminder "
        "for a new one.",
    ),
)
NO_DUTY = (
    Bilingual.of(vi="Chưa mở được nhiệm vụ báo cáo này", en="This duty cannot be shown"),
    Bilingual.of(
        vi="Hệ thống chưa có kế hoạch hoặc nhiệm vụ mà liên kết nêu. Vui lòng thử lại sau ít phút.",
        en="The plan or the duty of the link is not known here yet. Please try again in a few minutes.",
    ),
)
NO_RECEIPT = (
    Bilingual.of(vi="Không tìm thấy biên nhận", en="There is no such receipt"),
    Bilingual.of(
        vi="Địa chỉ biên nhận bị thiếu hoặc đã bị thay đổi. Hãy gửi lại đúng báo cáo để nhận lại biên nhận.",
        en="The address of the receipt is cut short or was changed. Sending the same report again gives it anew.",
    ),
)
REFUSED = Bilingual.of(vi="Chưa gửi được báo cáo", en="The report was not sent")
TOO_LARGE = Bilingual.of(
    vi="Nội dung và các tệp đính kèm vượt quá dung lượng cho phép. Vui lòng quay lại, giảm dung lượng tệp (ví dụ quét "
    "với độ phân giải thấp hơn) hoặc gửi ít tệp hơn.",
    en="The content and its files are larger than what is taken. Please go back and make the files smaller (a scan of "
    "lower resolution, for example), or send fewer.",
)
TOO_MANY = Bilingual.of(
    vi="Báo cáo này đang được gửi từ nhiều nơi cùng lúc. Vui lòng đợi một phút rồi gửi lại.",
    en="This report is being sent from several places at once. Please wait a minute and send again.",
)
FILE_LOST = Bilingual.of(
    vi="tệp đã tải lên trước đó không còn dùng được ở đây; vui lòng chọn lại tệp",
    en="a file that was uploaded before is no longer good here; please choose it again",
)
CANNOT_KEEP = Bilingual.of(
    vi="hiện chưa lưu được tệp đính kèm; nội dung đã điền vẫn còn trên trang này, vui lòng chọn lại tệp và gửi lại sau "
    "ít phút",
    en="files cannot be stored just now; what you wrote is still on this page: please choose the file again and send "
    "again in a few minutes",
)
CANNOT_SEND = Bilingual.of(
    vi="hiện chưa lưu được tệp đính kèm; nội dung và các tệp vẫn còn trên trang này, vui lòng gửi lại sau ít phút",
    en="files cannot be stored just now; what you wrote and your files are still on this page: please send again in a "
    "few minutes",
)
UNREADABLE = Bilingual.of(
    vi="Biểu mẫu gửi lên không đọc được, có thể do đường truyền bị gián đoạn. Vui lòng mở lại liên kết và gửi lại.",
    en="What was sent cannot be read; perhaps the connection broke. Please open the link again and send anew.",
)
