// autodiscover-guard, policy {{.Policy}}: the hosts of mail discovery that
// the policy opens or refuses go to the guard, everything else does not.
var guard = "{{.Guard}}";
// Opened, each with all below it.
var opened = {{.Opened}};
{{- if .Closed}}
// But for these, each with all below it; the nearest name counts.
var closed = {{.Closed}};
{{- end}}
// autodiscover.X is never dialled, for X of these, ...
var tops = {{.Tops}};
// ... or LABEL.COUNTRY: labels ("." for none), then countries.
var seconds = [{{range $i, $g := .Groups}}{{if $i}},{{end}}
"{{$g.Labels}}",
{{$g.Countries}}{{end}}
];
function has(list, name) {
  return name.indexOf(" ") < 0 && (" " + list + " ").indexOf(" " + name + " ") >= 0;
}
function backOff(x) {
  var dot = x.indexOf("."), label = dot < 0 ? "." : x.substring(0, dot), i;
  if (has(tops, x)) { return true; }
  for (i = 0; i < seconds.length; i += 2) {
    if (has(seconds[i + 1], x.substring(dot + 1))) { return has(seconds[i], label); }
  }
  return false;
}
function FindProxyForURL(url, host) {
  var h = host.toLowerCase(), name, dot;
  while (h.charAt(h.length - 1) == ".") { h = h.substring(0, h.length - 1); }
  for (name = h; name; name = dot < 0 ? "" : name.substring(dot + 1)) {
    if (has(opened, name)) { return guard; }
{{- if .Closed}}
    if (has(closed, name)) { break; }
{{- end}}
    dot = name.indexOf(".");
  }
  return h.substring(0, 13) == "autodiscover." && backOff(h.substring(13)) ? guard : "DIRECT";
}
