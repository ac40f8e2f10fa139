#compdef mtkflash MTKFLASH
# Completions of mtkflash for zsh.
_mtkflash() {
    local -a commands drives
    commands=(
@COMMANDS@
        'help:what there is to know'
    )
    drives=(@DRIVES@ /dev/sr*(N) /dev/sg*(N))
    _arguments -S \
@SWITCHES@
        '--generate=[write the man page or completions]:text:(@ARTIFACTS@)' \
        '--version[the version]' \
        '--help[the help]' \
        '*: :_mtkflash_word'
}

_mtkflash_word() {
    if (( words[(I)help] )); then
        compadd -- @TOPICS@
        return
    fi
    if (( ! words[(I)(@NAMES@)] )); then
        _describe -t commands command commands
    fi
    compadd -- $drives
    _files
}

_mtkflash "$@"
