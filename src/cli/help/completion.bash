# Completions of mtkflash for bash.
_mtkflash() {
    local cur=${COMP_WORDS[COMP_CWORD]} before= word verb= options=
    [ "$COMP_CWORD" -gt 0 ] && before=${COMP_WORDS[COMP_CWORD - 1]}
    # An equals sign is a word of its own to bash.
    if [ "$cur" = = ]; then
        cur=
    elif [ "$before" = = ] && [ "$COMP_CWORD" -gt 1 ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case ${before,,} in
@SWITCHES@
        --generate) COMPREPLY=($(compgen -W '@ARTIFACTS@' -- "$cur")); return ;;
        help) COMPREPLY=($(compgen -W '@TOPICS@' -- "$cur")); return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
        case ${word,,} in
@COMMANDS@
        esac
    done
    case $cur in
        -*)
            COMPREPLY=($(compgen -W "${options:---help --version --generate}" -- "$cur"))
            ;;
        *)
            if [ -z "$verb" ]; then
                COMPREPLY+=($(compgen -W '@WORDS@ help' -- "$cur"))
            fi
            COMPREPLY+=($(compgen -W '@DRIVES@' -- "$cur"))
            [[ $cur == / ]] && COMPREPLY+=($(compgen -W '@LETTERS@' -- "$cur"))
            _mtkflash_files
            ;;
    esac
}

# Files and nodes, with blanks in their names if they have any.
_mtkflash_files() {
    local found
    compopt -o filenames 2>/dev/null
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -f -- "$cur")
}

complete -F _mtkflash mtkflash MTKFLASH
