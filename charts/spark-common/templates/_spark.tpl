{{/*
Spark's own formats.

  spark-common.text         a value of sparkConf as text; call with the value. Helm reads every number of a values file
                            as a float: whole ones are written without exponent.
  spark-common.properties   the text of a properties file; call with a list of dicts of key -> value, of which
                            later ones win (Helm's merge takes false and 0 for absent). Keys are sorted.
  spark-common.applicationPorts  what pods of one application reach of each other, as ports of a NetworkPolicy: the driver's
                            RPC and block managers, which Spark's settings pin; a notebook's further kernels take the next
  spark-common.uiPorts      where spark-ui-proxy looks for UIs, as ports of a NetworkPolicy: drivers' and, of further
                            contexts, those that Spark takes when one is taken; history servers'
  spark-common.conf         one setting as text, or nothing; call with a dict: confs (maps of which later ones win), key
  spark-common.flag         the same of a setting that is true or false, as Spark reads it: "TRUE" is true
  spark-common.millicores   CPU as Kubernetes writes it, in thousandths; call with the text
  spark-common.mebibytes    a size as Spark writes it ("512m", "2g", "1t"), in MiB; call with the size.
*/}}

{{- define "spark-common.text" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end }}

{{- define "spark-common.properties" -}}
{{- $all := dict -}}
{{- range $conf := . -}}
{{- range $key, $value := $conf -}}
{{- $_ := set $all $key (include "spark-common.text" $value) -}}
{{- end -}}
{{- end -}}
{{- range $key := keys $all | sortAlpha }}
{{ $key }}={{ get $all $key | replace "\\" "\\\\" | replace "\n" "\\n" | replace "\r" "\\r" }}
{{- end }}
{{- end }}

{{- define "spark-common.conf" -}}
{{- $found := "" -}}
{{- range .confs -}}
{{- if hasKey . $.key -}}
{{- $found = get . $.key | include "spark-common.text" -}}
{{- end -}}
{{- end -}}
{{- $found -}}
{{- end }}

{{- define "spark-common.flag" -}}
{{- include "spark-common.conf" . | trim | lower -}}
{{- end }}

{{- define "spark-common.mebibytes" -}}
{{- $size := lower . -}}
{{- $number := regexFind "^[0-9]+" $size | int64 -}}
{{- $unit := regexFind "[kmgt]" $size -}}
{{- if eq $unit "t" -}}{{ mul $number 1048576 }}
{{- else if eq $unit "g" -}}{{ mul $number 1024 }}
{{- else if eq $unit "k" -}}{{ div $number 1024 }}
{{- else -}}{{ $number }}
{{- end -}}
{{- end }}

{{- define "spark-common.applicationPorts" -}}
- { port: {{ include "spark-common.port" "driver" }}, endPort: 7095, protocol: TCP }
{{- end }}

{{- define "spark-common.uiPorts" -}}
- { port: {{ include "spark-common.port" "ui" }}, endPort: 4100, protocol: TCP }
- { port: {{ include "spark-common.port" "history" }}, endPort: 18100, protocol: TCP }
{{- end }}

{{- define "spark-common.millicores" -}}
{{- if hasSuffix "m" . -}}{{ trimSuffix "m" . }}{{- else -}}{{ mulf (float64 .) 1000 | int64 }}{{- end -}}
{{- end }}
