# Recipes for decision records of autodiscover-guard, for jq 1.6 and later. Saved beside the log as guard.jq:
#
#   jq -R -c -L . 'include "guard"; decisions | kept' decisions.jsonl
#   jq -R -n -r -L . 'include "guard"; [inputs | decisions] | strangers' decisions.jsonl
#
# With -R a line that a crash has torn is passed over; without it, jq ends there.
# Those of the second kind hold what they count in memory; "autodiscover-guard review" does not.

# The decision records of version 1 among all lines.
def decisions: (strings | fromjson?), (select(type != "string")) | objects | select(.msg == "decision" and .schema == 1);

# How many decisions a record stands for.
def times: .repeat // 1;

# Those in which the client was kept from something.
def kept: select(.action == "edit" or .action == "refuse" or .action == "answer");

# Those that passed only because their rule monitors.
def monitored: select(.action == "pass" and (.would == "edit" or .would == "refuse" or .would == "answer"));

# Those whose credentials went upstream although a rule applies.
def forwarded: select(.credentials.forwarded and .rule != "");

# Those in which the answer for somebody guarded could not be read.
def unread: select(.level == "error");

# Before and after of every suggestion, one object each.
def changes: . as $r | .suggestions[] | select(.verdict != "keep")
  | {time: $r.time, client: $r.client, domain: ($r.subjects | join(" ")), kind, protocol, was, now, verdict};

# A field of everything, counted: [inputs | decisions] | count(.action)
def count(f): group_by(f) | map({key: (.[0] | f | tostring), times: (map(times) | add)}) | sort_by(-.times, .key);

# Which client was told what about which domain, as a table of tabs.
def strangers: map(. as $r | kept | .suggestions[] | select(.verdict == "remove" or .verdict == "rewrite") | select(.kind != "port")
    | {domain: ($r.subjects | join(" ")), was, client: $r.client, n: ($r | times)})
  | group_by([.domain, .was]) | map([.[0].domain, .[0].was, (map(.n) | add), (map(.client) | unique | join(" "))]) | sort_by(-.[2]) | .[] | @tsv;

# Decisions by hour.
def hours: count(.time[0:13]);
