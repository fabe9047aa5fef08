internal import Tensors

/// Reads Python's pickles (protocols 0 to 5) as far as files of tensors need them. Nothing is ever called:
/// what a pickle asks to be imported stays a name, and what it asks to be called a pair of that name and its
/// arguments.
///
/// Lists, dictionaries and tuples lie in one array and refer to each other by place, so that a pickle which
/// nests without end, or holds itself, costs its own length and no recursion.
struct Pickle {
    enum Value: Equatable {
        case none
        case bool(Bool)
        case int(Int)
        case double(Double)
        case text(String)
        /// Of a kind that no tensor needs: bytes, numbers beyond 64 bits, sets.
        case opaque
        case list(Int)
        case tuple(Int)
        case dictionary(Int)
        /// What would be imported: "torch._utils._rebuild_tensor_v2".
        case global(String)
        /// What would be called, and with what: the place of a pair.
        case call(Int)
        /// What stands elsewhere in the file, named by the value at this place.
        case persistent(Int)
        /// On the stack alone.
        case mark
    }

    let root: Value
    /// Bytes up to the end of it.
    let byteCount: Int
    /// The places of all names of what is persistent.
    let persistent: [Int]
    private let items: [[Value]]

    /// The elements of a list or tuple, keys and values of a dictionary in turn, the global and the argument
    /// of a call, the name of what is persistent.
    func elements(_ place: Int) -> [Value] { items[place] }

    /// Pairs of a dictionary with texts as keys, in order; later ones of the same name count. nil where the
    /// value is no dictionary.
    func members(_ value: Value) -> [(key: String, value: Value)]? {
        let flat: [Value]
        switch value {
        case .dictionary(let place): flat = items[place]
        case .call(let place):
            guard case .global(let name)? = items[place].first,
                ["collections.OrderedDict", "collections.defaultdict"].contains(name)
            else { return nil }
            flat = items[place].dropFirst(2).flatMap {
                if case .dictionary(let pairs) = $0 { items[pairs] } else { [Value]() }
            }
        default: return nil
        }
        var found: [(key: String, value: Value)] = [], places: [String: Int] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            guard case .text(let key) = flat[index] else { continue }
            if let known = places[key] {
                found[known].value = flat[index + 1]
            } else {
                places[key] = found.count
                found.append((key, flat[index + 1]))
            }
        }
        return found
    }

    /// What a value asks to be called, with what; nil where it asks for nothing.
    func call(_ value: Value) -> (name: String, arguments: [Value])? {
        guard case .call(let place) = value, case .global(let name)? = items[place].first,
            items[place].count > 1,
            case .tuple(let arguments) = items[place][1]
        else { return nil }
        return (name, items[arguments])
    }

    func integers(_ value: Value) -> [Int]? {
        guard case .tuple(let place) = value else { return nil }
        let numbers = items[place].compactMap { if case .int(let number) = $0 { number } else { nil } }
        return numbers.count == items[place].count ? numbers : nil
    }

    /// - Parameter place: what errors name.
    init(_ bytes: UnsafeRawBufferPointer, place: String) throws {
        var machine = PickleMachine(bytes, place: place)
        root = try machine.run()
        byteCount = machine.offset
        persistent = machine.persistent
        items = machine.items
    }
}

/// The stack machine that a pickle is a program of (Python's `pickletools` describes its opcodes).
private struct PickleMachine {
    typealias Value = Pickle.Value

    private let bytes: UnsafeRawBufferPointer
    private let place: String
    private(set) var offset = 0
    private(set) var items: [[Value]] = []
    private(set) var persistent: [Int] = []
    private var stack: [Value] = []
    private var memo: [Int: Value] = [:]

    init(_ bytes: UnsafeRawBufferPointer, place: String) { (self.bytes, self.place) = (bytes, place) }

    mutating func run() throws -> Value {
        while true {
            let opcode = try byte()
            if opcode == UInt8(ascii: ".") { return try pop() }
            try step(opcode)
        }
    }

    private mutating func step(_ opcode: UInt8) throws {
        switch Character(Unicode.Scalar(opcode)) {
        // Framing
        case "\u{80}": _ = try byte()
        case "\u{95}": _ = try number(8)
        // Constants
        case "N": stack.append(.none)
        case "\u{88}": stack.append(.bool(true))
        case "\u{89}": stack.append(.bool(false))
        case "K": stack.append(.int(try number(1)))
        case "M": stack.append(.int(try number(2)))
        case "J": stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
        case "\u{8a}": try long(byteCount: number(1))
        case "\u{8b}": try long(byteCount: number(4))
        case "I": try decimal(line())
        case "L": try decimal(line().replacing("L", with: ""))
        case "F": stack.append(Double(try line()).map { .double($0) } ?? .opaque)
        case "G":
            stack.append(.double(Double(bitPattern: UInt64(truncatingIfNeeded: try number(8)).byteSwapped)))
        case "X": stack.append(.text(try text(number(4))))
        case "\u{8c}": stack.append(.text(try text(number(1))))
        case "\u{8d}": stack.append(.text(try text(number(8))))
        case "V": stack.append(.text(try line()))
        case "S": stack.append(.text(try line().trimmingQuotes))
        case "T": stack.append(.text(try text(number(4))))
        case "U": stack.append(.text(try text(number(1))))
        case "B": try skip(number(4))
        case "C": try skip(number(1))
        case "\u{8e}", "\u{96}": try skip(number(8))
        // Containers
        case "(": stack.append(.mark)
        case "]": stack.append(.list(made([])))
        case "}": stack.append(.dictionary(made([])))
        case ")": stack.append(.tuple(made([])))
        case "\u{8f}": stack.append(.opaque)
        case "l": stack.append(.list(made(try toMark())))
        case "t": stack.append(.tuple(made(try toMark())))
        case "d": stack.append(.dictionary(made(try toMark())))
        case "\u{85}": stack.append(.tuple(made(try last(1))))
        case "\u{86}": stack.append(.tuple(made(try last(2))))
        case "\u{87}": stack.append(.tuple(made(try last(3))))
        case "\u{91}", "o":
            _ = try toMark()
            stack.append(.opaque)
        case "a": try append(last(1))
        case "e", "\u{90}": try append(toMark())
        case "s": try append(last(2))
        case "u":
            let pairs = try toMark()
            guard pairs.count.isMultiple(of: 2) else { throw damaged("a key without a value") }
            try append(pairs)
        // The stack and the memo
        case "0": _ = try pop()
        case "1": _ = try toMark()
        case "2":
            guard let top = stack.last else { throw damaged("an empty stack") }
            stack.append(top)
        case "q": try remember(number(1))
        case "r": try remember(number(4))
        case "p": try remember(Int(line()) ?? -1)
        case "\u{94}": try remember(memo.count)
        case "h": try recall(number(1))
        case "j": try recall(number(4))
        case "g": try recall(Int(line()) ?? -1)
        // What Python would import and call
        case "c": stack.append(.global("\(try line()).\(try line())"))
        case "\u{93}":
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw damaged("a global without a name")
            }
            stack.append(.global("\(module).\(name)"))
        case "i":
            let name = "\(try line()).\(try line())"
            stack.append(.call(made([.global(name), .tuple(made(try toMark()))])))
        case "\u{82}", "\u{83}", "\u{84}":
            try skip(number(opcode == 0x82 ? 1 : opcode == 0x83 ? 2 : 4))
        case "R", "\u{81}": stack.append(.call(made(try last(2))))
        case "\u{92}":
            let pair = try last(3)
            stack.append(.call(made(Array(pair.prefix(2)))))
        // The state of an object: what a mapping or a module is filled with.
        case "b":
            let state = try pop()
            guard case .call(let call)? = stack.last else { break }
            items[call].append(.list(made([state])))
        case "Q": refer(to: try pop())
        case "P": refer(to: .text(try line()))
        default: throw damaged("the opcode \(opcode) at byte \(offset - 1) is not one of a pickle")
        }
    }

    // MARK: The stack

    private mutating func made(_ elements: [Value]) -> Int {
        items.append(elements)
        return items.count - 1
    }

    private mutating func refer(to name: Value) {
        let place = made([name])
        persistent.append(place)
        stack.append(.persistent(place))
    }

    private mutating func pop() throws -> Value {
        guard let value = stack.popLast(), value != .mark else { throw damaged("an empty stack") }
        return value
    }

    private mutating func last(_ count: Int) throws -> [Value] {
        guard stack.count >= count else { throw damaged("an empty stack") }
        let values = Array(stack.suffix(count))
        guard !values.contains(.mark) else { throw damaged("an empty stack") }
        stack.removeLast(count)
        return values
    }

    private mutating func toMark() throws -> [Value] {
        guard let start = stack.lastIndex(of: .mark) else { throw damaged("no mark on the stack") }
        defer { stack.removeSubrange(start...) }
        return Array(stack[(start + 1)...])
    }

    private mutating func append(_ values: [Value]) throws {
        switch stack.last {
        case .list(let place), .dictionary(let place): items[place] += values
        // An OrderedDict is called for and then filled: its pairs stand behind the two parts of the call.
        case .call(let place): items[place] += [.dictionary(made(values))]
        case .opaque: break
        default: throw damaged("elements for something that holds none")
        }
    }

    private mutating func remember(_ place: Int) throws {
        guard let top = stack.last, top != .mark, place >= 0 else { throw damaged("nothing to remember") }
        memo[place] = top
    }

    private mutating func recall(_ place: Int) throws {
        guard let value = memo[place] else { throw damaged("nothing was remembered as \(place)") }
        stack.append(value)
    }

    // MARK: Bytes

    private mutating func byte() throws -> UInt8 {
        guard offset < bytes.count else { throw damaged("it ends early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - offset else { throw damaged("it ends early") }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    /// Little end first; eight bytes give the bits of a signed number.
    private mutating func number(_ count: Int) throws -> Int {
        Int(truncatingIfNeeded: try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private mutating func text(_ count: Int) throws -> String {
        String(decoding: try take(count), as: UTF8.self)
    }

    private mutating func skip(_ count: Int) throws {
        _ = try take(count)
        stack.append(.opaque)
    }

    /// Up to the end of a line.
    private mutating func line() throws -> String {
        let start = offset
        while try byte() != UInt8(ascii: "\n") {}
        return String(decoding: bytes[start..<(offset - 1)], as: UTF8.self)
    }

    private mutating func long(byteCount: Int) throws {
        let content = try take(byteCount)
        guard content.count <= 8 else { return stack.append(.opaque) }
        let isNegative = content.last.map { $0 >= 0x80 } ?? false
        let bits = content.reversed().reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
        stack.append(.int(Int(truncatingIfNeeded: bits)))
    }

    private mutating func decimal(_ text: String) throws {
        // In protocols 0 and 1 truth is a number with a leading zero.
        stack.append(
            text == "01" ? .bool(true) : text == "00" ? .bool(false) : Int(text).map { .int($0) } ?? .opaque)
    }

    private func damaged(_ message: String) -> EngineError {
        EngineError(
            .format, "not a usable file of torch.save: its pickle is damaged, \(message)", place: place,
            cure: "fetch the file again")
    }
}

extension String {
    /// Python's `repr` of a text, without its marks.
    fileprivate var trimmingQuotes: String { count >= 2 ? String(dropFirst().dropLast()) : self }
}
