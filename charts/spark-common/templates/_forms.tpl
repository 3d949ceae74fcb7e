{{/*
What texts in values look like. helm's own schema would refuse one with a regular expression; this says what is allowed, with
an example.

  spark-common.checkForms       all texts of a chart's values, by files/forms.json, which scripts/generate makes of values.yaml;
                                call with the root
  spark-common.checkForm        a value and what is below it; call with a dict: forms (by their names), rule, value, at (its
                                place)
  spark-common.checkFormsOfMap  the same of a map: its keys, and what is below them
*/}}
{{- define "spark-common.checkForms" -}}
{{- $asked := .Files.Get "files/forms.json" | fromJson -}}
{{- include "spark-common.checkForm" (dict "forms" $asked.forms "rule" $asked.values "value" .Values "at" "") -}}
{{- end }}

{{- define "spark-common.checkForm" -}}
{{- $rule := .rule -}}
{{- if kindIs "string" .value -}}
{{- if and $rule.form (or .value (not $rule.empty)) -}}
{{- $form := get .forms $rule.form -}}
{{- if not (regexMatch $form.pattern .value) -}}
{{- fail (printf "%s is %q: write %s, as in %s%s" .at (trunc 100 .value) $form.says $form.example (ternary ", or leave it empty" "" (hasKey $rule "empty"))) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $number, $item := ternary .value list (hasKey $rule "each") -}}
{{- include "spark-common.checkForm" (dict "forms" $.forms "rule" $rule.each "value" $item "at" (printf "%s[%d]" $.at $number)) -}}
{{- end -}}
{{- else if kindIs "map" .value -}}
{{- include "spark-common.checkFormsOfMap" . -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkFormsOfMap" -}}
{{- $rule := .rule -}}
{{- $value := .value -}}
{{- $under := ternary (printf "%s." .at) "" (ne .at "") -}}
{{- with $rule.keys -}}
{{- $form := get $.forms . -}}
{{- range $key := keys $value | sortAlpha -}}
{{- if not (regexMatch $form.pattern $key) -}}
{{- fail (printf "%s has the key %q: write %s, as in %s" $.at (trunc 100 $key) $form.says $form.example) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $rule.one -}}
{{- $given := list -}}
{{- range . -}}
{{- if hasKey $value . -}}
{{- $given = append $given . -}}
{{- end -}}
{{- end -}}
{{- if ne (len $given) 1 -}}
{{- fail (printf "%s has %s: give it one of %s, as in \"emptyDir: {}\"" $.at ($given | join " and " | default "no kind of volume") (join ", " .)) -}}
{{- end -}}
{{- end -}}
{{- range $key, $below := $rule.at -}}
{{- if hasKey $value $key -}}
{{- include "spark-common.checkForm" (dict "forms" $.forms "rule" $below "value" (get $value $key) "at" (printf "%s%s" $under $key)) -}}
{{- end -}}
{{- end -}}
{{- with $rule.each -}}
{{- range $key, $item := $value -}}
{{- include "spark-common.checkForm" (dict "forms" $.forms "rule" $rule.each "value" $item "at" (printf "%s%s" $under $key)) -}}
{{- end -}}
{{- end -}}
{{- range $pattern, $below := $rule.matching -}}
{{- range $key, $item := $value -}}
{{- if regexMatch $pattern $key -}}
{{- include "spark-common.checkForm" (dict "forms" $.forms "rule" $below "value" $item "at" (printf "%s%s" $under $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
