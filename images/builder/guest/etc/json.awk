# Turns one JSON document into lines "/path/to/member<TAB>value". A value of several lines becomes several such lines.
{ text = text $0 "\n" }
END { depth = 0; path[0] = ""; parse() }

function parse(    c) {
    while (text != "") {
        c = substr(text, 1, 1)
        if (c == "\"") {
            member(string())
        } else if (c == "{" || c == "[") {
            text = substr(text, 2)
            open(c)
        } else if (c == "}" || c == "]") {
            text = substr(text, 2)
            depth--
        } else if (c == ",") {
            text = substr(text, 2)
            named = 0
            if (kind[depth] == "[") position[depth]++
        } else if (match(text, /^[-+.0-9a-zA-Z]+/)) {
            c = substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
            show(c)
        } else {
            text = substr(text, 2)
        }
    }
}

function open(c) {
    path[depth + 1] = here()
    depth++
    kind[depth] = c
    position[depth] = 0
    named = 0
}

function here() {
    if (depth == 0) return ""
    return path[depth] "/" (kind[depth] == "[" ? position[depth] : name[depth])
}

# In an object the string before a colon is a name.
function member(value) {
    if (kind[depth] == "{" && !named) {
        gsub(/[\t\n\/]/, " ", value)
        name[depth] = value
        named = 1
    } else {
        show(value)
    }
}

function show(value,    lines, count, i) {
    count = split(value, lines, "\n")
    for (i = 1; i <= count; i++) if (lines[i] != "") print here() "\t" lines[i]
}

function string(    value, c) {
    text = substr(text, 2)
    value = ""
    while (text != "") {
        match(text, /^[^"\\]*/)
        value = value substr(text, 1, RLENGTH)
        c = substr(text, RLENGTH + 1, 1)
        text = substr(text, RLENGTH + 2)
        if (c == "\"") return value
        c = substr(text, 1, 1)
        text = substr(text, 2)
        if (c == "n") value = value "\n"
        else if (c == "t") value = value "\t"
        else if (c == "r" || c == "b" || c == "f") value = value " "
        else if (c == "u") { value = value utf8(number(substr(text, 1, 4))); text = substr(text, 5) }
        else value = value c
    }
    return value
}

function number(digits,    i, n) {
    n = 0
    for (i = 1; i <= length(digits); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return n
}

# Pairs of surrogates are not joined: no name or key needs them.
function utf8(n) {
    if (n < 128) return sprintf("%c", n)
    if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
    return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}
