import SourceText

/// Dots in braille characters, two by four to a character, each character in one colour.
struct BrailleCanvas {
    let columns: Int
    let lines: Int
    private var dots: [UInt8]
    private var owners: [Int?]
    /// Characters that stand in place of dots.
    private var characters: [Int: Character] = [:]

    init(columns: Int, lines: Int) {
        (self.columns, self.lines) = (columns, lines)
        dots = [UInt8](repeating: 0, count: columns * lines)
        owners = [Int?](repeating: nil, count: columns * lines)
    }

    /// In dots.
    var width: Int { columns * 2 }
    var height: Int { lines * 4 }

    /// - Parameter owner: whose colour the character takes; the first who draws there keeps it.
    mutating func set(_ x: Int, _ y: Int, owner: Int) {
        guard x >= 0, x < width, y >= 0, y < height else { return }
        let cell = y / 4 * columns + x / 2
        let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
        dots[cell] |= bits[y % 4][x % 2]
        if owners[cell] == nil { owners[cell] = owner }
    }

    /// A character where the dot would be; the last one there stays.
    mutating func put(_ character: Character, _ x: Int, _ y: Int, owner: Int) {
        guard x >= 0, x < width, y >= 0, y < height else { return }
        let cell = y / 4 * columns + x / 2
        characters[cell] = character
        owners[cell] = owner
    }

    /// Bresenham's line.
    mutating func line(from: (x: Int, y: Int), to: (x: Int, y: Int), owner: Int) {
        let dx = abs(to.x - from.x), dy = -abs(to.y - from.y)
        let sx = from.x < to.x ? 1 : -1, sy = from.y < to.y ? 1 : -1
        var (x, y, error) = (from.x, from.y, dx + dy)
        while true {
            set(x, y, owner: owner)
            if x == to.x, y == to.y { return }
            let twice = 2 * error
            if twice >= dy {
                error += dy
                x += sx
            }
            if twice <= dx {
                error += dx
                y += sy
            }
        }
    }

    /// A line of text; `coloured` puts a run of characters in its owner's colour.
    func text(_ line: Int, coloured: (TerminalText, Int) -> TerminalText) -> TerminalText {
        var out: TerminalText = "", run = "", owner: Int?
        func flush() {
            out += owner.map { coloured(TerminalText(run), $0) } ?? TerminalText(run)
            run = ""
        }
        for column in 0..<columns {
            let cell = line * columns + column
            if owners[cell] != owner {
                flush()
                owner = owners[cell]
            }
            run +=
                characters[cell].map { String($0) }
                ?? (dots[cell] == 0
                    ? " " : String(UnicodeScalar(0x2800 + UInt32(dots[cell])).map(Character.init) ?? " "))
        }
        flush()
        return out
    }
}
