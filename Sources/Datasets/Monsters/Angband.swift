import Files
import Tensors

/// Monsters of angband 3.5: `monster.txt` names and describes them, `graf-dvg.prf` says which tile of
/// `32x32.png` shows them. Tiles by David Gervais, CC-BY-3.0.
enum Angband {
    private struct Entry {
        let serial: Int
        let name: String
        var isUnique = false
        var description: [Substring] = []
    }

    static func sprites(root: String) throws -> [Monsters.Sprite] {
        let tiles = try tilePlaces(Monsters.path(root, "etc/angband/pref/graf-dvg.prf"))
        let entries = try entries(Monsters.path(root, "etc/angband/edit/monster.txt"))
        let path = try Monsters.path(root, "usr/share/angband/xtra/graf/32x32.png")
        let atlas = try PNG.read(path: path, alpha: .keep)
        return try entries.compactMap { entry in
            guard entry.serial > 0, !entry.description.isEmpty, let tile = tiles[entry.serial] else {
                return nil
            }
            let (x, y) = (tile.column * Monsters.cell, tile.row * Monsters.cell)
            guard x + Monsters.cell <= atlas.width, y + Monsters.cell <= atlas.height else {
                throw EngineError(
                    .data,
                    """
                    the tile of monster \(entry.serial) is at \(x), \(y), outside \(atlas.width) x \
                    \(atlas.height)
                    """, place: path)
            }
            let digits = String(entry.serial)
            return Monsters.Sprite(
                game: .angband,
                key: String(repeating: "0", count: max(0, 3 - digits.count)) + digits + "_" + entry.name,
                name: entry.name,
                caption: Caption.sentence(
                    name: entry.name, isProper: entry.isUnique,
                    description: entry.description.joined(separator: " ")),
                isTest: try Monsters.isTest(name: entry.name.lowercased()),
                picture: atlas.cropped(x: x, y: y, width: Monsters.cell, height: Monsters.cell).onWhite)
        }
    }

    /// `R:serial:0xRR:0xCC`, both offset by 0x80.
    private static func tilePlaces(_ path: String) throws -> [Int: (row: Int, column: Int)] {
        func number(_ text: Substring) -> Int? {
            guard text.hasPrefix("0x"), let value = UInt8(text.dropFirst(2), radix: 16), value >= 0x80 else {
                return nil
            }
            return Int(value) - 0x80
        }
        var places: [Int: (row: Int, column: Int)] = [:]
        for line in try Monsters.lines(path) where line.hasPrefix("R:") {
            let parts = line.split(separator: ":")
            guard parts.count == 4, let serial = Int(parts[1]), let row = number(parts[2]),
                let column = number(parts[3])
            else { continue }
            places[serial] = (row, column)
        }
        if places.isEmpty { throw EngineError(.format, "expected lines R:serial:0xRR:0xCC", place: path) }
        return places
    }

    private static func entries(_ path: String) throws -> [Entry] {
        var entries: [Entry] = []
        for line in try Monsters.lines(path) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "N":
                let name = parts[1].split(separator: ":", maxSplits: 1)
                guard name.count == 2, let serial = Int(name[0]) else { continue }
                entries.append(Entry(serial: serial, name: String(name[1])))
            case "F":
                guard let last = entries.indices.last else { continue }
                if parts[1].split(whereSeparator: { $0 == "|" || $0 == " " }).contains("UNIQUE") {
                    entries[last].isUnique = true
                }
            case "D":
                guard let last = entries.indices.last else { continue }
                entries[last].description.append(parts[1])
            default: continue
            }
        }
        if entries.isEmpty { throw EngineError(.format, "expected entries N:serial:name", place: path) }
        return entries
    }
}
