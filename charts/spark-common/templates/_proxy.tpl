{{/*
The HTTP proxy between pods and the outside: global.proxy. Call with it.

  spark-common.proxyEnv       variables for Python and other programs, a list, or nothing
  spark-common.proxyOptions   options of a JVM, in a line, or nothing
*/}}

{{- define "spark-common.proxyEnv" -}}
{{- if .url }}
- name: http_proxy
  value: {{ quote .url }}
- name: https_proxy
  value: {{ quote .url }}
# Spark's client of the API server reads it too.
- name: no_proxy
  value: localhost,127.0.0.1,kubernetes.default.svc,.svc,.cluster.local{{ range .direct }},{{ trimPrefix "*" . }}{{ end }}
{{- end }}
{{- end }}

{{- define "spark-common.proxyOptions" -}}
{{- with .url -}}
{{- $address := trimPrefix "http://" . | splitList ":" -}}
-Dhttp.proxyHost={{ index $address 0 }} -Dhttp.proxyPort={{ index $address 1 }} {{ "" -}}
-Dhttps.proxyHost={{ index $address 0 }} -Dhttps.proxyPort={{ index $address 1 }} {{ "" -}}
-Dhttp.nonProxyHosts=localhost|127.*|[::1]|kubernetes.default.svc|*.svc|*.cluster.local{{ range $.direct }}|{{ regexReplaceAll "^\\." . "*." }}{{ end }}
{{- end -}}
{{- end }}
