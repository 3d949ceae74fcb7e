{{/*
spark-common.checkText: refuses text that no manifest holds; call with the values, a dict. Helm's toYaml drops a whole
object without a word for a control character in it, and breaks its lines at the separators of Unicode.
*/}}
{{- define "spark-common.checkText" -}}
{{- range $key, $value := . -}}
{{- with regexFind "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\x{2028}\\x{2029}\\x{fffe}\\x{ffff}]" (toString $value) -}}
{{- fail (printf "%s holds the character %+q, which no manifest can: take it out" $key .) -}}
{{- end -}}
{{- end -}}
{{- end }}
