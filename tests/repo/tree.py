"""What the rules look at: the tree's files, and C++ with comments and strings blanked out."""
import os
import re
import subprocess

SOURCE_ENDS = (".cpp", ".hpp", ".h", ".c", ".py", ".cmake", ".S", ".fbs")
CXX_ENDS = (".cpp", ".hpp", ".h", ".c")


def files(root):
    """Paths relative to the root: those git knows, or all if this is no git tree."""
    try:
        listed = subprocess.run(
            ["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        return sorted(f for f in listed if f and os.path.isfile(os.path.join(root, f)))
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [d for d in folders if not d.startswith((".git", "build", "__pycache__"))]
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
        return sorted(found)


def read(root, path):
    """The file's text, or None if it is no text."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as f:
            return f.read()
    except UnicodeDecodeError:
        return None


def is_test(path):
    return path.startswith("tests/") or "/tests/" in path


def exceptions(root):
    """(rule, subject) -> reason, from exceptions.txt; a line without a reason is an error."""
    out = {}
    text = read(root, "tests/repo/exceptions.txt")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [p.strip() for p in line.split("|")]
        if len(parts) != 3 or not parts[2]:
            raise SystemExit(f"tests/repo/exceptions.txt:{number}: expected rule | subject | reason")
        out[(parts[0], parts[1])] = parts[2]
    return out


_BLANK = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)


def blank(text):
    """C or C++ with comments, strings and characters replaced by spaces; lines stay where they are."""

    def cover(match):
        return "".join("\n" if c == "\n" else " " for c in match.group(0))

    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)  # digit separators
    text = _BLANK.sub(cover, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.M)


_NO_FUNCTION = re.compile(
    r"^\s*(?:else\b|if\b|for\b|while\b|switch\b|do\b|catch\b|try\b|namespace\b|class\b|struct\b"
    r"|enum\b|union\b|typedef\b|extern\b|return\b|case\b|default\b|template\s*<[^>]*>\s*(?:class|struct)\b)"
)


def cxx_functions(text):
    """(name, first line, number of lines) of each function that is not inside another."""
    code = blank(text)
    stack = []
    out = []
    start = 0
    for at, c in enumerate(code):
        if c == "{":
            header = code[start:at]
            inside = any(kind for kind, _, _ in stack)
            head = re.sub(r"^(?:\s*(?:public|private|protected)\s*:)*", "", header)
            is_function = (
                not inside
                and ")" in head
                and not _NO_FUNCTION.match(head)
                and not re.search(r"=\s*$", head)
            )
            name = re.search(r"([~\w:]+|operator\s*\S+)\s*\(", head)
            line = code.count("\n", 0, start + len(header) - len(header.lstrip())) + 1
            stack.append((is_function, line, name.group(1) if name else "?"))
            start = at + 1
        elif c == "}":
            if stack:
                is_function, line, name = stack.pop()
                if is_function:
                    out.append((name, line, code.count("\n", 0, at) + 2 - line))
            start = at + 1
        elif c == ";":
            start = at + 1
    return out
