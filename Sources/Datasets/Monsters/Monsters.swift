import Files
import Synchronization
import Tensors

/// The built-in data set `monsters`: sprites with descriptions from two games of Debian, angband and crawl.
/// Nothing of them is in the repository; this reads the installed packages. The rows, their order and their
/// split are fixed, so that every user has the same data.
enum Monsters {
    /// Side of the sprites' own cell in pixels.
    static let cell = 32
    /// Height of the tallest sprites; they lie in the middle of a cell of 64.
    static let tallest = 48
    static let packages = "angband crawl-tiles-data"

    struct Sprite: Sendable {
        enum Game: String, Sendable { case angband, crawl }

        let game: Game
        let key: String
        let name: String
        let caption: String
        let isTest: Bool
        let picture: Bitmap
    }

    /// Reading takes a quarter of a second, most of it for the two atlases; a session asks for train and
    /// test.
    private static let cache = Remembered<String, [Sprite]>()

    static func dataset(root: String, split: String?, size: Int, all: Bool) throws -> Dataset {
        let splits = ["train", "test"]
        if let split, !splits.contains(split) {
            throw EngineError(
                .data, "no split \(split)", place: "monsters",
                cure: "there is \(splits.joined(separator: ", "))")
        }
        let rows = try sprites(root: root, all: all).filter { split == nil || $0.isTest == (split == "test") }
        return try Dataset(
            name: "monsters",
            columns: [
                DatasetColumn(name: "text", values: .text(rows.map(\.caption))),
                DatasetColumn(
                    name: "image",
                    values: .pictures(
                        rows.map { sprite in
                            DatasetPicture(name: sprite.key) { sprite.picture.spriteScaled(to: size) }
                        })),
                DatasetColumn(name: "name", values: .text(rows.map(\.name))),
                DatasetColumn(name: "split", values: .text(rows.map { $0.isTest ? "test" : "train" })),
                DatasetColumn(name: "source", values: .text(rows.map(\.game.rawValue))),
                DatasetColumn(name: "key", values: .text(rows.map(\.key))),
            ])
    }

    private static func sprites(root: String, all: Bool) throws -> [Sprite] {
        let id = "\(all) \(root)"
        if let known = cache.withLock({ $0[id] }) { return known }
        let both = try distinct(Angband.sprites(root: root)) + distinct(Crawl.sprites(root: root, all: all))
        // "The first 36" should mix both games, and be the same everywhere: order by a digest.
        let ordered = try both.map { (digest: try Digest.sha256($0.key), sprite: $0) }.sorted {
            $0.digest < $1.digest
        }.map(\.sprite)
        cache.withLock { $0[id] = ordered }
        return ordered
    }

    /// Of equal pictures the first by key.
    private static func distinct(_ sprites: [Sprite]) -> [Sprite] {
        var seen: Set<Bitmap> = []
        return sprites.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.filter {
            seen.insert($0.picture).inserted
        }
    }

    /// A tenth of the names, by their digest, so that all pictures of one name are on the same side.
    static func isTest(name: String) throws -> Bool {
        guard let head = UInt32(try Digest.sha256(name).prefix(8), radix: 16) else { return false }
        return head % 100 < 10
    }

    /// Lines of a game's text file, empty ones left out. Split by bytes: a few hundred kilobytes by
    /// characters would take a tenth of a second.
    static func lines(_ path: String) throws -> [Substring] {
        try FileSystem.readText(path).utf8.split { $0 == 0x0A || $0 == 0x0D }.map { Substring($0) }
    }

    /// The packages' files that the data set is made of.
    static func files(root: String) -> [String] {
        [
            "etc/angband/edit/monster.txt", "etc/angband/pref/graf-dvg.prf",
            "usr/share/angband/xtra/graf/32x32.png",
            "usr/share/crawl/dat/descript/monsters.txt", "usr/share/crawl/dat/tiles/player.png",
        ].map { FileSystem.join(root, $0) }
    }

    static func path(_ root: String, _ name: String) throws -> String {
        let path = FileSystem.join(root, name)
        if FileSystem.isFile(path) { return path }
        throw EngineError(
            .data, "the game data of `dataset monsters` is missing", place: path,
            cure: "apt-get install \(packages)")
    }
}

extension Bitmap {
    /// A sprite's cell at another size: nearest neighbour down, whole-number zoom up, centred on white.
    func spriteScaled(to size: Int) -> Bitmap {
        // A tall sprite lies in a cell of 64 with room around it: what counts is whether the sprite itself
        // fits.
        let content = height > Monsters.cell ? Monsters.tallest : Monsters.cell
        guard size >= content else { return resized(width: size, height: size, filter: .nearest) }
        let factor = size / content
        let trimmed =
            content == height
            ? self
            : cropped(x: (width - content) / 2, y: (height - content) / 2, width: content, height: content)
        let zoomed = trimmed.zoomed(factor)
        return zoomed.placed(x: (size - zoomed.width) / 2, y: (size - zoomed.height) / 2, onWhite: size)
    }

    /// At (x, y) on a white square.
    func placed(x: Int, y: Int, onWhite side: Int) -> Bitmap {
        if width == side, height == side { return self }
        var samples = [UInt8](repeating: 255, count: side * side * 3)
        for row in 0..<height {
            let source = row * width * 3
            let target = ((y + row) * side + x) * 3
            samples.replaceSubrange(
                target..<(target + width * 3), with: self.samples[source..<(source + width * 3)])
        }
        return Bitmap(width: side, height: side, channels: 3, samples: samples)
    }
}
