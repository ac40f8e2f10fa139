# tool_says NAME STATUS COMMAND...: runs a command that has to end with the
# status. All that it says is in NAME then.
tool_says() {
	local name=$1 wanted=$2 ended=0
	shift 2
	"$@" >$name 2>&1 </dev/null || ended=$?
	echo "== $*"
	echo "== $ended"
	cat $name
	[ $ended = $wanted ] || fail "'$*' ended with $ended instead of $wanted"
}
