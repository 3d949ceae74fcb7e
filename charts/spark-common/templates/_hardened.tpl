{{/*
The preset security.profile "hardened"; docs/guides/hardened.md says what it protects. Where "security" is asked for, it is a
list of sections of values (profile, authSecret.name, authSecret.key, allowInsecure), the team's and perhaps an application's:
one that asks for the preset is enough, and of names the later ones win. "confs" are maps of Spark configuration, of which
later ones win.

  spark-common.preset         what the preset sets; call with the confs
  spark-common.hardenedConf   the same where it is asked for, else nothing; call with a dict: security, confs
  spark-common.isHardened     "true" if the preset is asked for; call with security
  spark-common.authVolume     the secret that an application's processes share as a pod's volume, in a list, or nothing; call
                              with security
  spark-common.authMount      the same as a mount of Spark's container
  spark-common.authEnv        what an executor's container needs besides, as a list of variables, or nothing
  spark-common.checkSecurity  refuses configuration that weakens the preset, and what leaves a gap with or without it; call
                              with a dict: root, security, allow (the name of its allowInsecure in values), confs and, as a
                              list, from (their names in values)
  spark-common.sparkVersion   the version that the tag of a role's image tells, or nothing; call with a dict: root, role
  spark-common.tagOf          the value that this tag comes from; call with the same
  spark-common.filters        filters of the UI that say who asks, or nothing; call with the confs
*/}}

{{- define "spark-common.preset" -}}
spark.authenticate: true
# In a file: Spark's own way, a variable in executors' pods, is seen by who may read pods. An executor's first connection
# reads the first of these, whatever the third says.
spark.authenticate.secret.file: /etc/spark-auth/secret
spark.authenticate.secret.driver.file: /etc/spark-auth/secret
spark.authenticate.secret.executor.file: /etc/spark-auth/secret
spark.network.crypto.enabled: true
# Spark's default, AES/CTR/NoPadding, does not notice what was changed on the way.
spark.network.crypto.cipher: AES/GCM/NoPadding
# The first version takes the agreed secret for the key, without deriving one.
spark.network.crypto.authEngineVersion: 2
spark.network.crypto.saslFallback: false
# It would take the place of spark.network.crypto, with its passwords in variables of executors' pods.
spark.ssl.rpc.enabled: false
spark.io.encryption.enabled: true
spark.io.encryption.keySizeBits: 256
spark.redaction.regex: (?i)secret|password|passwd|passphrase|token|credential|(access|account|api|private|encryption)[._-]?key
spark.redaction.string.regex: (?i)(secret|password|passwd|passphrase|token|credential|signature|sig)=[^\s&;,)\]]+
spark.ui.killEnabled: false
{{- if include "spark-common.filters" . }}
spark.acls.enable: true
{{- end }}
{{- end }}

{{- define "spark-common.hardenedConf" -}}
{{- if include "spark-common.isHardened" .security -}}
{{- include "spark-common.preset" .confs -}}
{{- end -}}
{{- end }}

{{- define "spark-common.isHardened" -}}
{{- range . -}}
{{- if eq .profile "hardened" -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.authVolume" -}}
{{- if include "spark-common.isHardened" . -}}
{{- $name := "" -}}
{{- $key := "" -}}
{{- range . -}}
{{- $name = .authSecret.name | default $name -}}
{{- $key = .authSecret.key | default $key -}}
{{- end -}}
- name: spark-auth
  secret:
    secretName: {{ $name | quote }}
    # 0400; the kubelet lets the pod's fsGroup read too.
    defaultMode: 256
    items:
      - { key: {{ $key | quote }}, path: secret }
{{- end -}}
{{- end }}

{{- define "spark-common.authMount" -}}
{{- if include "spark-common.isHardened" . -}}
- name: spark-auth
  mountPath: /etc/spark-auth
  readOnly: true
{{- end -}}
{{- end }}

{{- define "spark-common.authEnv" -}}
{{- if include "spark-common.isHardened" . -}}
# An executor reads the file only where it knows that it is on Kubernetes, and for its first connection Spark does not say
# so. The image's entrypoint makes options of the JVM of such variables.
- name: SPARK_JAVA_OPT_KINDLING
  value: -Dspark.master=k8s://https://kubernetes.default.svc
{{- end -}}
{{- end }}

{{- define "spark-common.checkSecurity" -}}
{{- $names := append (include "spark-common.preset" .confs | fromYaml | keys) "spark.acls.enable" | uniq | sortAlpha -}}
{{- $allowed := list -}}
{{- range .security -}}
{{- $allowed = concat $allowed .allowInsecure -}}
{{- end -}}
{{- range $name := $allowed -}}
{{- if not (has $name $names) -}}
{{- fail (printf "%s lists %s, which the preset does not set: it sets %s" $.allow $name (join ", " $names)) -}}
{{- end -}}
{{- end -}}
{{- $hardened := include "spark-common.hardenedConf" . | fromYaml -}}
{{- range $number, $conf := .confs -}}
{{- $from := index $.from $number -}}
{{- include "spark-common.checkSecrets" (dict "conf" $conf "from" $from) -}}
{{- range $key := keys $conf | sortAlpha -}}
{{- if and (hasKey $hardened $key) (not (has $key $allowed)) -}}
{{- $wanted := get $hardened $key | include "spark-common.text" -}}
{{- if ne (get $conf $key | include "spark-common.text") $wanted -}}
{{- fail (printf "%s sets %s, which security.profile hardened sets to %s: leave it out, or list it in %s" $from $key $wanted $.allow) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $confs := prepend .confs $hardened -}}
{{- $driver := dict "root" .root "role" "driver" -}}
{{- $version := include "spark-common.sparkVersion" $driver -}}
{{- if eq (include "spark-common.flag" (dict "confs" $confs "key" "spark.acls.enable")) "true" -}}
{{- if not (include "spark-common.filters" .confs) -}}
{{- fail "spark.acls.enable is true, but no filter in spark.ui.filters says who asks, and without that Spark lets everyone in (org.apache.spark.ui.JWSFilter does not say it): set spark.ui.filters to one that does, or leave spark.acls.enable out" -}}
{{- end -}}
{{- if and $version (semverCompare "<3.2.2" $version) -}}
{{- fail (printf "spark.acls.enable is true and %s says Spark %s, which runs a user's name in a shell (CVE-2022-33891): take an image of 3.2.2 or newer, or leave spark.acls.enable out" (include "spark-common.tagOf" $driver) $version) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "spark.network.crypto.enabled" "spark.authenticate.enableSaslEncryption" -}}
{{- if and (eq (include "spark-common.flag" (dict "confs" $confs "key" $key)) "true") (ne (include "spark-common.flag" (dict "confs" $confs "key" "spark.authenticate")) "true") -}}
{{- fail (printf "%s is true but spark.authenticate is not, and Spark would not start: set security.profile to hardened, which sets both" $key) -}}
{{- end -}}
{{- end -}}
{{- $cipher := include "spark-common.conf" (dict "confs" $confs "key" "spark.network.crypto.cipher") -}}
{{- range $role := list "driver" "executor" -}}
{{- $of := dict "root" $.root "role" $role -}}
{{- $version := include "spark-common.sparkVersion" $of -}}
{{- if and (eq $cipher "AES/GCM/NoPadding") $version (semverCompare "<3.5.2" $version) -}}
{{- fail (printf "spark.network.crypto.cipher is %s and %s says Spark %s, which does not know it and says nothing: take an image of 3.5.2 or newer" $cipher (include "spark-common.tagOf" $of) $version) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A digest tells none, nor does the tag of an image that is not named spark. */}}
{{- define "spark-common.sparkVersion" -}}
{{- $image := include "spark-common.roleImageValues" . | fromJson -}}
{{- if and (not $image.digest) (eq (base $image.repository) "spark") -}}
{{- $image.tag | default .root.Chart.AppVersion | regexFind "^[0-9]+\\.[0-9]+\\.[0-9]+" -}}
{{- end -}}
{{- end }}

{{- define "spark-common.tagOf" -}}
{{- if ((get .root.Values .role | default dict).image | default dict).tag -}}
{{- .role }}.
{{- end -}}
image.tag
{{- end }}

{{- define "spark-common.filters" -}}
{{- range splitList "," (include "spark-common.conf" (dict "confs" . "key" "spark.ui.filters")) -}}
{{- without (list (trim .)) "" "org.apache.spark.ui.JWSFilter" | join "" -}}
{{- end -}}
{{- end }}
