import Files

/// Files of a notebook's folder as a page holds them: in itself, as data, and only where they are what their
/// names say.
struct PageFiles {
    enum Found {
        case picture(data: String)
        case drawing(data: String, numbers: String)
        case table(data: String)
        /// It is there under a name of ours, and is something else.
        case other
    }

    let folder: PictureFolder

    /// The name of the file that an address leads to; nil for all but files that this program makes.
    func name(_ address: String) -> String? {
        let prefix = "\(folder.name)/"
        // The Markdown library gives addresses as they stand in the text; outputs have them percent-encoded.
        let spellings = address.contains("%") ? [address, address.percentDecoded] : [address]
        let names = spellings.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        return names.first(where: PictureFolder.isOurs)
    }

    /// nil where there is no such file.
    func find(_ name: String) -> Found? {
        guard let bytes = try? folder.stored(name) else { return nil }
        let data = Base64.text(bytes)
        if name.hasSuffix(".png") {
            let beginning: [UInt8] =
                [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
            return bytes.starts(with: beginning) ? .picture(data: "data:image/png;base64,\(data)") : .other
        }
        if name.hasSuffix(".svg") {
            return SVGDrawing(bytes).map {
                .drawing(data: "data:image/svg+xml;base64,\(data)", numbers: $0.numbers)
            } ?? .other
        }
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else { return .other }
        return .table(data: "data:text/csv;base64,\(data)")
    }
}

extension String {
    /// `a%20b` as `a b`; what is no such form stays.
    fileprivate var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let first = rest.first {
            if first == UInt8(ascii: "%"), rest.count >= 3,
                let value = UInt8(
                    String(decoding: rest[(rest.startIndex + 1)...(rest.startIndex + 2)], as: UTF8.self),
                    radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
