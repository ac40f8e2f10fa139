# Completions of mtkflash for fish.
@COMMANDS@
complete -c mtkflash -n '@NONE@' -a help -d 'what there is to know'
complete -c mtkflash -n '@NONE@' -a '@DRIVES@' -d drive
complete -c mtkflash -f -n '__fish_seen_subcommand_from help' -a '@TOPICS@'
@SWITCHES@
complete -c mtkflash -l generate -d 'write the man page or completions' -x -a '@ARTIFACTS@'
complete -c mtkflash -l version -d 'the version'
complete -c mtkflash -l help -d 'the help'
complete -c MTKFLASH -w mtkflash
