{{/*
What all charts refuse.

  spark-common.checkText         text that no manifest holds; call with the values, a dict. Helm's toYaml drops a whole object
                                 without a word for a control character in it, and breaks its lines at the separators of
                                 Unicode.
  spark-common.checkServiceName  a release whose name no Service may have; call with the root
*/}}
{{- define "spark-common.checkText" -}}
{{- range $key, $value := . -}}
{{- with regexFind "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\x{2028}\\x{2029}\\x{fffe}\\x{ffff}]" (toString $value) -}}
{{- fail (printf "%s holds the character %+q, which no manifest can: take it out" $key .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkServiceName" -}}
{{- if not (regexMatch "^[a-z]" .Release.Name) -}}
{{- fail (printf "the release is named %q, and no Service's name begins with a digit: name the release otherwise" .Release.Name) -}}
{{- end -}}
{{- end }}
