/// A cell of a notebook: one top-level fence with the info string `noise`, and the output region behind it.
package struct Cell: Sendable {
    /// Place among the cells, from 0.
    package var index: Int
    package var header: CellHeader
    /// The code between the fence lines, lines joined by LF.
    package var code: String
    /// Lines of the file that the fence takes, from the opening line to the closing one; they count from 1.
    package var fenceLines: ClosedRange<Int>
    /// False for a last fence that runs to the end of the file.
    package var isClosed: Bool
    /// Lines from `<!-- out -->` to `<!-- /out -->`, where the region is there.
    package var outputLines: ClosedRange<Int>?

    /// How messages name the cell: its label, else its number from 1.
    package var name: String { header.label ?? String(index + 1) }

    /// The line of the file on which the first line of code stands.
    package var firstCodeLine: Int { fenceLines.lowerBound + 1 }
}

/// What the info string says behind the word `noise`: `label flag flag tol(fid=0.5)`.
package struct CellHeader: Equatable, Sendable {
    package enum Flag: String, CaseIterable, Sendable {
        /// Runs, and its output is not written.
        case hide
        /// Runs, and is not compared by `verify`.
        case volatile
        /// Does not run; its output stays as it is.
        case skip
        /// Must fail; the error is its output.
        case raises
    }

    package var label: String?
    package var flags: Set<Flag> = []
    /// Tolerance of `verify` by column: `tol(fid=0.5)`.
    package var tolerances: [String: Double] = [:]

    package init(label: String? = nil, flags: Set<Flag> = []) {
        self.label = label
        self.flags = flags
    }

    /// Nil where `info` is not of a cell. A malformed one throws a message.
    package init?(info: String) throws(CellHeaderError) {
        var rest = Substring(info).drop(while: \.isWhitespace)
        guard rest.prefix(while: { !$0.isWhitespace }) == "noise" else { return nil }
        rest = rest.dropFirst("noise".count).drop(while: \.isWhitespace)
        while !rest.isEmpty {
            if rest.hasPrefix("tol(") {
                guard let close = rest.firstIndex(of: ")") else {
                    throw CellHeaderError("`tol(` without its `)`")
                }
                try readTolerances(rest[rest.index(rest.startIndex, offsetBy: 4)..<close])
                rest = rest[rest.index(after: close)...]
            } else {
                let word = rest.prefix { !$0.isWhitespace }
                rest = rest.dropFirst(word.count)
                if let flag = Flag(rawValue: String(word)) {
                    flags.insert(flag)
                } else if let label {
                    throw CellHeaderError(
                        """
                        a cell has one label, found `\(label)` and `\(word)`; flags are \
                        \(Flag.allCases.map(\.rawValue).joined(separator: ", ")) and tol(...)
                        """)
                } else if word.contains(where: { ",()".contains($0) })
                    || word.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
                {
                    throw CellHeaderError(
                        """
                        `\(word.filter { !$0.isASCII || $0 >= " " })` is no label; flags are separated by \
                        spaces: noise label hide volatile
                        """)
                } else {
                    label = String(word)
                }
            }
            rest = rest.drop(while: \.isWhitespace)
        }
    }

    /// Whether a fence's info string is a cell's; a malformed one is.
    static func isCell(info: String) -> Bool {
        do {
            return try CellHeader(info: info) != nil
        } catch {
            return true
        }
    }

    /// What an info string may be meant as that is almost a cell's: `noise skip` for `{noise}`, `Noise`,
    /// `noise,skip`, `noise:a`, `.noise`. nil for others.
    static func meant(by info: String) -> String? {
        guard !isCell(info: info) else { return nil }
        let words = info.split { $0.isWhitespace || "{}.,:;|/".contains($0) }
        let bare = info.drop { $0.isWhitespace || "{.".contains($0) }
        // `noisebook` and `noise-free` are words of their own.
        guard bare.prefix(while: { $0.isLetter || $0.isNumber || "_-".contains($0) }).lowercased() == "noise"
        else { return nil }
        let rest = words.dropFirst().map(String.init)
        let header = (["noise"] + rest).joined(separator: " ")
        // Options of other tools, `echo=false`, are no labels.
        return rest.contains { $0.contains("=") } || (try? CellHeader(info: header)) == nil ? "noise" : header
    }

    private mutating func readTolerances(_ text: Substring) throws(CellHeaderError) {
        for item in text.split(separator: ",") {
            let sides = item.split(separator: "=", maxSplits: 1).map {
                String($0.filter { !$0.isWhitespace })
            }
            guard sides.count == 2, !sides[0].isEmpty, let value = Double(sides[1]), value >= 0,
                value.isFinite
            else {
                throw CellHeaderError("`tol(...)` takes column=number, found `\(item)`")
            }
            tolerances[sides[0]] = value
        }
    }
}

package struct CellHeaderError: Error, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
