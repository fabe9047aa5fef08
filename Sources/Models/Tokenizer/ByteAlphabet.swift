/// The 256 characters that stand for bytes in byte-level vocabularies (GPT-2's `bytes_to_unicode`): printable
/// Latin-1 bytes stand for themselves, the others for U+0100 and up, in order.
enum ByteAlphabet {
    /// The character of each byte.
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0...255).map { (byte: UInt32) -> Unicode.Scalar in
            switch byte {
            case 33...126, 161...172, 174...255: return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? " "
            }
        }
    }()

    private static let byteOfCharacter: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x200)
        for (byte, character) in characters.enumerated() { table[Int(character.value)] = UInt8(byte) }
        return table
    }()

    /// The bytes that a token stands for; nil if it holds a character outside the alphabet, as special tokens
    /// may.
    static func bytes(of token: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard scalar.value < 0x200, let byte = byteOfCharacter[Int(scalar.value)] else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
