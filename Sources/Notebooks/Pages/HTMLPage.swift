import Files
import Rendering

/// One page that needs nothing else: its style, a few lines of script for tables and pictures, light and
/// dark, wide and narrow. Its policy lets a browser take this style, this script and pictures that are in the
/// page, and nothing else, should anything else ever come into it.
struct HTMLPage {
    let title: String
    /// What made it.
    let mark: String
    let body: String
    let provenance: [(name: String, value: String)]

    func text() throws -> String {
        let policy = [
            "default-src 'none'", "img-src data:", "style-src '\(try Self.hash(Self.style))'",
            "script-src '\(try Self.hash(Self.script))'", "base-uri 'none'",
            "form-action 'none'",
        ]
        let facts = provenance.map { "<dt>\($0.name)</dt><dd>\(MarkupText.escaped($0.value))</dd>" }.joined()
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta http-equiv="Content-Security-Policy" content="\(policy.joined(separator: "; "))">
            <meta charset="utf-8">
            <meta http-equiv="x-dns-prefetch-control" content="off">
            <meta name="referrer" content="no-referrer">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="\(mark)">
            <title>\(MarkupText.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            \(body)
            </main>
            <footer><h2>Provenance</h2><dl>\(facts)</dl></footer>
            <script>\(Self.script)</script>
            </body>
            </html>

            """
    }

    /// Of the bytes between the tags, as CSP asks for it.
    private static func hash(_ text: String) throws -> String {
        let digits = Array(try Digest.sha256(text))
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0..<$0 + 2]), radix: 16)
        }
        return "sha256-\(Base64.text(bytes))"
    }

    private static let style = """
        :root { --ink: #1d2330; --soft: #5a6375; --page: #fdfdfc; --panel: #f3f4f2; --line: #dcdfe0; --accent: #8a3ffc; --verb: #0b5cad; --string: #1a7037; --number: #a2450c; --comment: #6b7280; --doubt: #9a6700; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e4e6eb; --soft: #9aa3b2; --page: #15181e; --panel: #1e232c; --line: #333a46; --accent: #be95ff; --verb: #78a9ff; --string: #6fdc8c; --number: #ffb784; --comment: #8d96a5; --doubt: #e3b341; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        main, footer { max-width: 56rem; margin: 0 auto; padding: 1rem 1.25rem; }
        h1, h2, h3 { line-height: 1.25; margin: 2.2rem 0 .8rem; }
        h1 { font-size: 2rem; } h2 { font-size: 1.4rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
        a { color: var(--verb); }
        code, pre { font: 14px/1.55 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; }
        p code, li code, td code { background: var(--panel); padding: .1em .3em; border-radius: 4px; }
        pre { margin: 0; overflow-x: auto; }
        main > pre { background: var(--panel); padding: .8rem 1rem; border-radius: 8px; }
        .cell { margin: 1.4rem 0; }
        .code { position: relative; background: var(--panel); border-left: 3px solid var(--accent); border-radius: 0 8px 8px 0; padding: .8rem 1rem; }
        .label { position: absolute; top: .35rem; right: .7rem; color: var(--soft); font-size: .75rem; }
        .c { color: var(--comment); font-style: italic; } .s { color: var(--string); } .n { color: var(--number); } .v { color: var(--verb); font-weight: 600; }
        .o { color: var(--accent); } .k { color: var(--accent); font-weight: 600; }
        .doubt { margin: .6rem 0 0; padding: .3rem .8rem; border-left: 3px solid var(--doubt); color: var(--doubt); font-size: .9rem; }
        .output.stale { opacity: .6; }
        .output { padding: .6rem 0 0 1rem; overflow-x: auto; }
        .output > * + * { margin-top: .6rem; } .output pre { color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
        table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: middle; }
        th[align=right], td[align=right] { text-align: right; } td[align=right] { white-space: nowrap; } td[align=center], th[align=center] { text-align: center; }
        thead th { cursor: pointer; white-space: nowrap; border-bottom: 2px solid var(--line); user-select: none; }
        thead th[aria-sort=ascending]::after { content: " \\2191"; } thead th[aria-sort=descending]::after { content: " \\2193"; }
        thead th:focus-visible, img:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        img { max-width: 100%; image-rendering: pixelated; border-radius: 4px; cursor: zoom-in; background: #fff; }
        figure.plot { margin: 0; max-width: 46rem; } img.plot { image-rendering: auto; border-radius: 8px; background: none; }
        details { color: var(--soft); font-size: .85rem; } summary { cursor: pointer; } details pre { max-height: 20rem; overflow: auto; padding-left: 1rem; }
        .missing { color: var(--soft); }
        dialog { border: 0; background: transparent; padding: 0; max-width: 100vw; max-height: 100vh; }
        dialog::backdrop { background: rgb(0 0 0 / .75); }
        dialog img { width: min(90vmin, 40rem); cursor: zoom-out; } dialog img.plot { width: min(95vw, 75rem); }
        blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--soft); }
        footer { color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line); margin-top: 3rem; }
        footer h2 { font-size: 1rem; border: 0; margin: .5rem 0; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
        dd { margin: 0; overflow-wrap: anywhere; }
        @media (max-width: 36rem) { body { font-size: 16px; } main, footer { padding: .75rem; } th, td { padding: .25rem .45rem; } .output { padding-left: 0; } }
        """

    private static let script = """
        document.querySelectorAll('.output table').forEach(table => {
          const body = table.tBodies[0];
          if (!body || body.rows.length < 2 || body.querySelector('img')) return;
          table.querySelectorAll('thead th').forEach((head, column) => {
            head.tabIndex = 0;
            const sort = () => {
              const down = head.getAttribute('aria-sort') === 'ascending';
              table.querySelectorAll('thead th').forEach(other => other.removeAttribute('aria-sort'));
              head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
              const text = row => row.cells[column].textContent.trim();
              const number = row => parseFloat(text(row).replace(/^(-?)inf/, '$1Infinity'));
              const omitted = row => [...row.cells].every(cell => cell.textContent.trim() === '…');
              const rows = [...body.rows].filter(row => !omitted(row));
              // What is missing comes last either way, and so does what is no number.
              const missing = row => ['', '-', 'nan'].includes(text(row));
              const present = rows.filter(row => !missing(row));
              const numeric = present.every(row => !isNaN(number(row)));
              const order = (a, b) => numeric ? (number(a) > number(b)) - (number(a) < number(b)) : text(a).localeCompare(text(b));
              present.sort((a, b) => order(a, b) * (down ? -1 : 1));
              rows.splice(0, rows.length, ...present, ...rows.filter(missing));
              rows.concat([...body.rows].filter(omitted)).forEach(row => body.append(row));
            };
            head.addEventListener('click', sort);
            head.addEventListener('keydown', event => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); sort(); } });
          });
        });
        const large = document.createElement('dialog');
        document.body.append(large);
        large.addEventListener('click', () => large.close());
        document.querySelectorAll('.output img').forEach(image => {
          image.tabIndex = 0;
          const open = () => {
            const copy = document.createElement('img');
            copy.src = image.src;
            copy.alt = image.alt;
            copy.className = image.className;
            large.replaceChildren(copy);
            large.showModal();
          };
          image.addEventListener('click', open);
          image.addEventListener('keydown', event => { if (event.key === 'Enter') open(); });
        });
        """
}
