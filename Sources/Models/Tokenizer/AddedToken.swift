import Files

/// A token that stands for itself in a text and is never split (AddedToken of the `tokenizers` library).
struct AddedToken: Hashable, Sendable {
    /// UTF-8: two texts that Unicode calls equal are two tokens.
    let bytes: [UInt8]
    /// Start, end, padding and the like: left out of decoded text.
    var isSpecial = false
    /// Looked for in the normalised text, so in any case; else as written in the text as it came.
    var isNormalised: Bool
    /// Only where no letter, digit or underscore touches it (`single_word`).
    var standsAlone = false
    /// White space before it goes with it (`lstrip`), and after it (`rstrip`).
    var takesSpaceBefore = false
    var takesSpaceAfter = false

    var text: String { String(decoding: bytes, as: UTF8.self) }

    init(_ text: String, isSpecial: Bool = false, isNormalised: Bool? = nil) {
        bytes = Array(text.utf8)
        self.isSpecial = isSpecial
        self.isNormalised = isNormalised ?? !isSpecial
    }

    /// An object with `content`; nil for anything else.
    /// - Parameter isSpecial: whatever the object says of it.
    init?(_ json: JSON, isSpecial: Bool? = nil) {
        guard let text = json["content"]?.string else { return nil }
        self.init(
            text, isSpecial: isSpecial ?? json["special"]?.bool ?? false,
            isNormalised: json["normalized"]?.bool)
        standsAlone = json["single_word"]?.bool ?? false
        takesSpaceBefore = json["lstrip"]?.bool ?? false
        takesSpaceAfter = json["rstrip"]?.bool ?? false
    }
}
