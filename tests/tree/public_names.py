"""The public names of weft: what its public headers declare outside of namespace detail.

A small scanner of declarations, enough for the style of these headers: types, functions, constants and aliases at
namespace scope, and the public members of classes.
"""
import re

import tree

KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "decltype", "noexcept", "requires", "static_assert",
            "alignas", "alignof", "catch", "throw", "operator", "explicit", "defined", "void", "auto", "not", "and", "or"}
TYPE = re.compile(r"\b(?:class|struct|enum class|enum|union|concept)\s+(?:\[\[[^\]]*\]\]\s*)?(?:alignas\([^)]*\)\s*)?([A-Za-z_]\w*)")
FORWARD = re.compile(r"(?:class|struct|union)\s+\w+")
OPERATOR = re.compile(r"\boperator\b")
USING = re.compile(r"\busing\s+([A-Za-z_]\w*)\s*=")
CALL = re.compile(r"([~A-Za-z_]\w*)\s*\(")
VALUE = re.compile(r"\b([a-z_]\w*)\s*(?:=[^=].*|\{\s*)?$")


def stripped(text):
    """Without comments, strings, preprocessor lines and attributes."""
    text = re.sub(r"//[^\n]*For weft itself[^\n]*", "weft_itself:", text)
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    text = re.sub(r"^\s*#[^\n]*(?:\\\n[^\n]*)*", "", text, flags=re.M)
    return re.sub(r"\[\[[^\]]*\]\]", "", text)


def without_templates(head):
    """A declaration without its template heads, requires clauses and angle brackets."""
    head = re.sub(r"\brequires\b\s*(\([^()]*(?:\([^()]*\)[^()]*)*\)|requires\b)", " ", head)
    depth, out = 0, []
    for i, c in enumerate(head):
        if c == "<" and not head[max(0, i - 8):i].endswith("operator"):
            depth += 1
        elif c == ">" and depth and head[i - 1] != "-":
            depth -= 1
        elif not depth:
            out.append(c)
    return re.sub(r"\btemplate\b", "", "".join(out))


def names_of(head):
    """(kind, name) of each name that a declaration declares: `int a = 1, b` declares two."""
    first = name_of(head)
    if not first or first[0] != "value":
        return [first] if first else []
    plain = without_templates(head)
    return [("value", match[1]) for part in plain.split(",")
            if (match := re.search(r"([a-z_]\w*)\s*(?:=.*)?$", part.strip(), flags=re.S))]


def name_of(head):
    """(kind, name) of a declaration, or None."""
    plain = without_templates(head).strip()
    if not plain or plain.startswith(("friend", "static_assert", "public", "private", "protected", "extern template")):
        return None
    if match := USING.search(plain):
        return "alias", match[1]
    if plain.startswith("using"):
        return None
    if OPERATOR.search(plain):
        return None
    if match := TYPE.match(re.sub(r"^(?:inline|constexpr|typedef|explicit)\s+", "", plain)):
        return "type", match[1]
    before = plain.split("=")[0] if "(" not in plain.split("=")[0] else plain
    for match in CALL.finditer(before):
        if match[1] not in KEYWORDS and not match[1].isupper():
            return "function", match[1]
    if match := VALUE.search(plain.split("=")[0].split("{")[0].strip() + " "[:0]):
        words = plain.split("=")[0].split()
        if len(words) > 1:
            return "value", match[1]
    return None


def declarations(text):
    """(scope, kind, name) of each public declaration. scope: namespaces and classes, joined by ::"""
    text = stripped(text)
    found, scopes, head, i = [], [], "", 0
    # scopes: [kind, name, public now?, was it entered visibly?]
    def visible():
        return all(s[0] != "code" and s[2] for s in scopes) and (
            not HIDDEN & {s[1] for s in scopes} or any(scope()[6:].startswith(e) for e in EXPOSED))
    def scope():
        return "::".join(s[1] for s in scopes if s[1])
    paren = 0
    while i < len(text):
        c = text[i]
        if c == "(":
            paren += 1
        elif c == ")":
            paren -= 1
        if c == "{" and paren == 0:
            plain = without_templates(head).strip()
            if match := re.match(r"(?:inline\s+)?namespace\s*([\w:]*)$", plain):
                scopes.append(["namespace", match[1], True])
            elif "=" not in plain.split("(")[0] and (match := TYPE.search(plain)) and "(" not in plain.split(match[1])[0].replace("alignas(", ""):
                if visible():
                    found.append((scope(), "type", match[1]))
                scopes.append(["class", match[1], not plain.lstrip().startswith("class") and "class " not in plain.split(match[1])[0] or "enum" in plain])
                if "enum" in plain:
                    scopes[-1][0] = "code"
            else:
                if visible():
                    found += [(scope(), *named) for named in names_of(head)]
                scopes.append(["code", "", True])
            head = ""
        elif c == "}" and paren == 0:
            if scopes:
                scopes.pop()
            head = ""
        elif c == ";" and paren == 0:
            forward = scopes and scopes[-1][0] == "namespace" and FORWARD.fullmatch(without_templates(head).strip())
            if visible() and not forward:  # a definition counts instead
                found += [(scope(), *named) for named in names_of(head)]
            head = ""
        elif c == ":" and paren == 0 and scopes and scopes[-1][0] == "class" and head.strip() in (
                "public", "private", "protected", "weft_itself"):
            scopes[-1][2] = head.strip() == "public"
            head = ""
        else:
            head += c
        i += 1
    return found


# Namespaces of weft's own, and members that the standard library's traits ask for.
HIDDEN = {"detail", "impl"}
TRAITS = {"iterator_category", "difference_type", "reference", "pointer", "value_type", "rep", "period", "is_steady"}

# Base classes in namespace detail whose public members are those of a public class.
EXPOSED = {"detail::chan_handle": "chan", "detail::receiving": "chan", "detail::sending": "chan"}


def headers(root):
    return [p for room in tree.ROOMS for p in tree.files(root, f"{room}/include/weft", ends=(".h",))
            if "detail" not in p.parts]


def public_names(root):
    """{header: [qualified name without weft::]}, constructors and destructors left out, each name once."""
    names = {}
    for path in headers(root):
        mine = []
        for scope, _, name in declarations(path.read_text(encoding="utf-8")):
            inside = scope.split("::")
            if inside[0] != "weft" or name.startswith("~") or name == inside[-1]:
                continue
            full = "::".join([*inside[1:], name])
            for base, derived in EXPOSED.items():
                full = re.sub(f"^{base}::", derived + "::", full)
            if full in EXPOSED or full.startswith("detail::") or name in TRAITS:
                continue
            if full not in mine:
                mine.append(full)
        names["weft/" + path.name] = mine
    return names


if __name__ == "__main__":
    for header, names in public_names(tree.ROOT).items():
        print(header)
        for n in names:
            print("   ", n)
