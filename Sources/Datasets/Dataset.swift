import Files
import Tensors

/// A list of captioned pictures, column by column. Row i has the item number i: the row's number in this
/// source, after `split` chose it. Pictures are read when they are first asked for.
package struct Dataset: Sendable {
    /// What the user called it: a name that ships with the program, or a path.
    package let name: String
    /// Each with `count` values.
    package let columns: [DatasetColumn]
    /// Rows, at least one.
    package let count: Int

    init(name: String, columns: [DatasetColumn]) throws {
        guard let count = columns.first?.values.count, count > 0 else {
            throw EngineError(.data, "the data set has no rows", place: name)
        }
        precondition(
            columns.allSatisfy { $0.values.count == count }, "columns of one data set differ in length")
        self.name = name
        self.columns = columns
        self.count = count
    }

    package subscript(column: String) -> DatasetColumn.Values? { columns.first { $0.name == column }?.values }

    /// Captions, one per row; nil where the data set has none.
    package var texts: [String]? { if case .text(let values) = self["text"] { values } else { nil } }
    /// Pictures, one per row; nil where the data set has none.
    package var pictures: [DatasetPicture]? {
        if case .pictures(let values) = self["image"] { values } else { nil }
    }
}

/// One column of a data set: `text` holds captions, `image` pictures, the others what the source has
/// beside them.
package struct DatasetColumn: Sendable {
    package enum Values: Sendable {
        case text([String])
        /// NaN where a row has no number.
        case numbers([Double])
        case pictures([DatasetPicture])

        package var count: Int {
            switch self {
            case .text(let values): values.count
            case .numbers(let values): values.count
            case .pictures(let values): values.count
            }
        }
    }

    package let name: String
    package let values: Values
}

/// A picture that is decoded on demand; nothing is kept, the reader decides how long pixels live.
package struct DatasetPicture: Sendable {
    /// The file's path or the sprite's key, for messages.
    package let name: String
    private let read: @Sendable () throws -> Bitmap

    init(name: String, read: @escaping @Sendable () throws -> Bitmap) {
        self.name = name
        self.read = read
    }

    /// The pixels in 8 bits, decoded anew at each call.
    /// - Throws: what is wrong with the file, by its name.
    package func bitmap() throws -> Bitmap { try read() }
}
