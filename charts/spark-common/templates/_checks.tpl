{{/*
What all charts refuse.

  spark-common.checkText         text that no manifest holds; call with the values, a dict. Helm's toYaml drops a whole object
                                 without a word for a control character in it, and breaks its lines at the separators of
                                 Unicode.
  spark-common.checkUtf8         a text that is no UTF-8, which Helm would change; call with a dict: text, from (its name)
  spark-common.checkNumbers      numbers that are not rendered as they were written, as far as a template can know: those of
                                 too many digits, and small ones that are written with an exponent; call with a dict: values (a map or list), from (what the name
                                 of an item follows)
  spark-common.checkKeys         keys that Spark's configuration cannot have, or that Spark leaves out without a word; call with
                                 a dict: conf, from (its name in values)
  spark-common.checkDenied       keys of Spark's configuration that the namespace's admin denies; call with the root
  spark-common.checkSecrets      Spark configuration whose value is a secret: a ConfigMap and helm's record would hold it. Call
                                 with a dict: conf, from (its name in values)
  spark-common.secretKeys        a regular expression: keys of Spark's and Hadoop's configuration whose value is a secret
  spark-common.checkLog          a log's configuration that has two sources; call with the section
  spark-common.checkIdle         times after which something goes; call with the section
  spark-common.checkNoLogin      everybody, let in without a login; call with a dict: peers (network.from), method (login.method),
                                 cure (whom to name instead)
  spark-common.checkServiceName  a release whose name no Service may have; call with the root
*/}}
{{- define "spark-common.checkText" -}}
{{- range $key, $value := . -}}
{{- with regexFind "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\x{2028}\\x{2029}\\x{fffe}\\x{ffff}]" (toString $value) -}}
{{- fail (printf "%s holds the character %+q, which no manifest can: take it out" $key .) -}}
{{- end -}}
{{- include "spark-common.checkUtf8" (dict "text" (toString $value) "from" $key) -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkUtf8" -}}
{{- /* Helm reads a byte that is no UTF-8 as the character U+FFFD; a real one has three bytes. */ -}}
{{- range regexFindAll "\\x{fffd}" .text -1 -}}
{{- if eq (len .) 1 -}}
{{- fail (printf "%s holds the byte %+q, which is no UTF-8: write the text in UTF-8" $.from .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkNumbers" -}}
{{- range $key, $value := .values -}}
{{- if kindIs "float64" $value -}}
{{- $text := include "spark-common.text" $value -}}
{{- if or (regexMatch "e|[0-9.]{17}" $text) (gt (trimPrefix "-" $text | float64) 9007199254740991.0) -}}
{{- fail (printf "%s %v is read as the number %s, which may not be what was written: put it into quotes" $.from $key $text) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkKeys" -}}
{{- include "spark-common.checkNumbers" (dict "values" .conf "from" (printf "%s:" .from)) -}}
{{- range $key := keys .conf | sortAlpha -}}
{{- /* Java takes a backslash out of a key, so that it would be another one than was checked. */ -}}
{{- if regexMatch "[\\s:=\\\\]" $key -}}
{{- fail (printf "%s has the key %q, and a key of Spark's configuration has no space, colon, equals sign or backslash: write each key whole, as in \"spark.sql.shuffle.partitions: 8\"" $.from $key) -}}
{{- end -}}
{{- if not (hasPrefix "spark." $key) -}}
{{- $cure := printf "write spark.%s, or spark.hadoop.%s if it is Hadoop's" $key $key -}}
{{- if regexMatch "^(datanucleus|dfs|fs|ha|hadoop|hbase|hive|ipc|javax\\.jdo|mapred|mapreduce|orc|parquet|yarn)\\." $key -}}
{{- $cure = printf "write spark.hadoop.%s" $key -}}
{{- end -}}
{{- fail (printf "%s sets %s, and Spark reads only keys that begin with spark.: %s" $.from $key $cure) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkDenied" -}}
{{- range $from, $conf := dict "global.sparkConf" .Values.global.sparkConf "sparkConf" (get .Values "sparkConf") "client.sparkConf" (get (get .Values "client" | default dict) "sparkConf") -}}
{{- range $key := keys (default dict $conf) | sortAlpha -}}
{{- range $denied := $.Values.global.deniedSparkConf -}}
{{- if or (eq $key $denied) (and (hasSuffix "." $denied) (hasPrefix $denied $key)) -}}
{{- fail (printf "%s sets %s, which global.deniedSparkConf denies in this namespace: leave it out, or ask the cluster's admin" $from $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkSecrets" -}}
{{- $cures := dict
  "^spark\\.authenticate\\.secret$" "put it into a Secret, and set security.profile to hardened and security.authSecret.name to its name"
  "^spark\\.kubernetes\\.authenticate\\.(.+\\.)?oauthToken$" "leave it out, since each pod has the token of its service account; outside of the cluster, the kubeconfig has one"
  "JWSFilter\\.param\\.secretKey$" "put it into a Secret, which the history server takes by auth.jws.secret.name; a driver's UI is for those whom spark-ui-proxy lets in"
-}}
{{- range $key := keys .conf | sortAlpha -}}
{{- if and (regexMatch (include "spark-common.secretKeys" .) $key) (not (regexMatch "^\\$\\{env[.:]" (get $.conf $key | toString))) -}}
{{- $cure := "have the application set it from a variable, which driver.env takes from a Secret" -}}
{{- if hasPrefix "spark.hadoop.fs.s3a." $key -}}
{{- $cure = "put an AWS credentials file into a Secret, and set global.s3.secret.name to its name" -}}
{{- else if hasPrefix "spark.hadoop." $key -}}
{{- $cure = "write \"${env.NAME}\" and take NAME from a Secret in driver.env and executor.env" -}}
{{- end -}}
{{- fail (printf "%s sets %s, and a secret never stands in values: %s" $.from $key $cure) -}}
{{- end -}}
{{- range $pattern, $cure := $cures -}}
{{- if regexMatch $pattern $key -}}
{{- fail (printf "%s sets %s, and a secret never stands in values: %s" $.from $key $cure) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.secretKeys" -}}
(?i)([.-]secret[.]key|session[.]token|password|client[.]secret|private[.]key|encryption[.-]key|[.]account[.]key[.].+|[.]sas[.]fixed[.]token.*)$
{{- end }}

{{- define "spark-common.checkServiceName" -}}
{{- if not (regexMatch "^[a-z]" .Release.Name) -}}
{{- fail (printf "the release is named %q, and no Service's name begins with a digit: begin it with a letter, as in x%s" .Release.Name (trunc 52 .Release.Name | replace "." "-")) -}}
{{- end -}}
{{- if contains "." .Release.Name -}}
{{- fail (printf "the release is named %q, and no Service's name has a dot: write a dash, as in %s" .Release.Name (replace "." "-" .Release.Name)) -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkLog" -}}
{{- if and .properties (or .level .json) -}}
{{- fail "log.properties is a whole configuration: leave log.level and log.json out, or log.properties empty" -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkIdle" -}}
{{- range $key, $time := . -}}
{{- if and $time (not (regexMatch "^0*[1-9][0-9]{0,7}[smh]$" $time)) -}}
{{- fail (printf "idle.%s is %q, and idle times are whole seconds: write 1s or more, as in 30m or 4h" $key $time) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkNoLogin" -}}
{{- range $name, $peer := .peers -}}
{{- range $peer.cidrs -}}
{{- if hasSuffix "/0" . -}}
{{- fail (printf "login.method is %s and network.from.%s lets in %s, everybody, without a login: name %s" $.method $name . $.cure) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
