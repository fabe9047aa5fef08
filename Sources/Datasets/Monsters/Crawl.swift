import Files
import Tensors

/// Monsters of Dungeon Crawl Stone Soup 0.28: sprites of the atlas `player.png`, whose places
/// `crawl-atlas.tsv` lists, with the texts of `monsters.txt`. Most tiles CC0, texts GPL-2 or later.
enum Crawl {
    /// The places fit only this atlas.
    private static let atlasDigest = "b96b07ad9b48b2c7"
    /// Copies of other monsters as undead, one sentence for each kind.
    private static let undeadCopies = [
        "undead_zombies_", "undead_skeletons_", "undead_spectrals_", "undead_simulacra_",
    ]

    static func sprites(root: String, all: Bool) throws -> [Monsters.Sprite] {
        let texts = try descriptions(Monsters.path(root, "usr/share/crawl/dat/descript/monsters.txt"))
        let path = try Monsters.path(root, "usr/share/crawl/dat/tiles/player.png")
        let bytes = try FileSystem.readBytes(path)
        guard try Digest.sha256(bytes).hasPrefix(atlasDigest) else {
            throw EngineError(
                .data,
                """
                expected the atlas of crawl-tiles-data 2:0.28.0-1.1 (SHA-256 \(atlasDigest)...), found \
                another file
                """, place: path)
        }
        let atlas = try PNG.decode(bytes, alpha: .keep, place: path)
        return try places().compactMap { place in
            if !all, undeadCopies.contains(where: place.key.hasPrefix) { return nil }
            guard let text = texts[place.descriptionKey.lowercased()] else {
                throw EngineError(
                    .data, "no description of \(place.descriptionKey)",
                    place: FileSystem.join(root, "usr/share/crawl/dat/descript/monsters.txt"))
            }
            let isProper = place.key.hasPrefix("unique_") || place.name.first?.isUppercase == true
            return Monsters.Sprite(
                game: .crawl, key: place.key, name: place.name,
                caption: Caption.sentence(name: place.name, isProper: isProper, description: text),
                isTest: try Monsters.isTest(name: place.group),
                picture: cell(
                    atlas.cropped(x: place.x, y: place.y, width: place.width, height: place.height).onWhite))
        }
    }

    /// The atlas keeps only the box that a sprite fills: one that fits a cell stands on its floor; a taller
    /// one lies in the middle of four.
    private static func cell(_ box: Bitmap) -> Bitmap {
        let x = { (side: Int) in (side - box.width) / 2 }
        if box.width <= Monsters.cell, box.height <= Monsters.cell {
            return box.placed(x: x(Monsters.cell), y: Monsters.cell - box.height, onWhite: Monsters.cell)
        }
        let side = 2 * Monsters.cell
        return box.placed(x: x(side), y: (side - box.height) / 2, onWhite: side)
    }

    private struct Place {
        let key: String
        let x, y, width, height: Int
        let name: String
        let descriptionKey: String
        /// What the split goes by.
        let group: String
    }

    /// The shipped list: key, x, y, width, height, name, description key, group.
    private static func places() throws -> [Place] {
        let text = String(decoding: PackageResources.crawl_atlas_tsv, as: UTF8.self)
        return try text.utf8.split(separator: 0x0A).map(Substring.init).map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 8, let x = Int(parts[1]), let y = Int(parts[2]), let width = Int(parts[3]),
                let height = Int(parts[4])
            else {
                throw EngineError(.format, "expected eight columns, found: \(line)", place: "crawl-atlas.tsv")
            }
            return Place(
                key: parts[0], x: x, y: y, width: width, height: height, name: parts[5],
                descriptionKey: parts[6], group: parts[7])
        }
    }

    /// Blocks between lines of `%%%%`: the key, an empty line, the text; `#` begins a comment. Keys in lower
    /// case.
    private static func descriptions(_ path: String) throws -> [String: String] {
        var texts: [String: String] = [:]
        var key: String?
        var words: [Substring] = []
        func close() {
            if let key, texts[key] == nil { texts[key] = words.joined(separator: " ") }
            key = nil
            words = []
        }
        for line in try Monsters.lines(path) where !line.hasPrefix("#") {
            if line.hasPrefix("%%%%") {
                close()
            } else if key == nil {
                key = line.lowercased()
            } else {
                words += line.split(separator: " ")
            }
        }
        close()
        if texts.isEmpty { throw EngineError(.format, "expected blocks separated by %%%%", place: path) }
        return texts
    }
}
