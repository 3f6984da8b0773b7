# shellcheck shell=bash
# Asking a program on this machine, without curl.

# http_get PORT PATH: prints the body of what is answered within 5 s.
http_get() {
    limited 5 http_get_now "$1" "$2" 2>/dev/null
}

http_get_now() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    # HTTP/1.0: the answer comes in one piece and ends with the connection.
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    while IFS= read -r line <&3 && [[ -n ${line%$'\r'} ]]; do :; done
    cat <&3
}

# url_encode TEXT
url_encode() {
    local text=$1 encoded='' at character
    for ((at = 0; at < ${#text}; at++)); do
        character=${text:at:1}
        case $character in
            [A-Za-z0-9._~-]) encoded+=$character ;;
            *) encoded+=$(printf '%%%02X' "'$character") ;;
        esac
    done
    printf '%s\n' "$encoded"
}
