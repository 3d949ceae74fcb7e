{{/*
Event logs: global.eventLog says where drivers write them and the history server reads them. How HDFS is reached is in
_hadoop.tpl, and how S3 is in _s3.tpl: they are those of the applications' data, too; the store's CA is in _trust.tpl. Call with
global.eventLog unless said otherwise; each gives nothing where there is no store.

  spark-common.eventLogUrl         the folder, as Spark names it
  spark-common.folder              a folder of a store as all that opens it names it; call with its address
  spark-common.eventLogConf        the store's own Spark configuration, a map
  spark-common.eventLogDriverConf  the same, and what makes a driver write
  spark-common.eventLogVolumes, spark-common.eventLogMounts, spark-common.eventLogEnv
                                   what a pod and its container of Spark need to reach the store
  spark-common.checkFolder         refuses a folder that not all that opens it would find; call with a dict: url, store, from
                                   (its name in values)
  spark-common.checkEventLog       refuses what no store can be; call with a dict: eventLog, global, confs and, as a list, from
                                   (their names in values)
*/}}

{{- define "spark-common.eventLogUrl" -}}
{{- if eq .store "claim" -}}
file:/var/spark/events
{{- else -}}
{{- include "spark-common.folder" .url -}}
{{- end -}}
{{- end }}

{{/* Without a path Hadoop takes the home of the user: the root of a bucket is its path "/". */}}
{{- define "spark-common.folder" -}}
{{- $root := regexFind "^[a-z0-9]+://[^/]*" . -}}
{{- $root }}{{ trimPrefix $root . | trimAll "/" | printf "/%s" -}}
{{- end }}

{{- define "spark-common.eventLogConf" -}}
{{- if eq .store "s3" -}}
{{- /* Of this bucket alone: what else an application keeps in S3 is its own affair. */ -}}
{{- $name := (urlParse .url).host -}}
{{- $bucket := printf "spark.hadoop.fs.s3a.bucket.%s" $name -}}
{{- /* No certificate for *.example.com is one for a name with another dot in it. */ -}}
{{- $pathStyle := or .s3.pathStyle (contains "." $name) -}}
{{- with .s3.endpoint }}
{{ $bucket }}.endpoint: {{ . | quote }}
{{- end }}
{{- if or .s3.endpoint $pathStyle }}
{{ $bucket }}.path.style.access: {{ $pathStyle }}
{{- end }}
{{- with .s3.region }}
{{ $bucket }}.endpoint.region: {{ . | quote }}
{{- end }}
{{- if .secret.name }}
# Its name in SDK 1, that of Spark 3.5; newer Hadoop takes it for that in SDK 2.
{{ $bucket }}.aws.credentials.provider: com.amazonaws.auth.profile.ProfileCredentialsProvider
{{- end }}
{{- else if and (eq .store "gcs") .secret.name -}}
spark.hadoop.fs.gs.auth.type: SERVICE_ACCOUNT_JSON_KEYFILE
spark.hadoop.fs.gs.auth.service.account.json.keyfile: /etc/spark-event-log/{{ .secret.key }}
{{- else if and (eq .store "abfs") .secret.name -}}
spark.hadoop.hadoop.security.credential.provider.path: localjceks://file/etc/spark-event-log/{{ .secret.key }}
{{- end -}}
{{- end }}

{{- define "spark-common.eventLogDriverConf" -}}
{{- if .store -}}
spark.eventLog.enabled: true
spark.eventLog.dir: {{ include "spark-common.eventLogUrl" . | quote }}
# As Spark 4 has it. An object store shows a file once it is closed: whole, or rolled.
spark.eventLog.rolling.enabled: true
spark.eventLog.compress: true
{{ include "spark-common.eventLogConf" . }}
{{- end -}}
{{- end }}

{{- define "spark-common.eventLogVolumes" -}}
{{- if eq .store "claim" }}
- name: event-logs
  persistentVolumeClaim:
    claimName: {{ .claim | quote }}
{{- end }}
{{- if and .store (ne .store "hdfs") .secret.name }}
- name: event-log-secret
  secret:
    secretName: {{ .secret.name | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      - { key: {{ .secret.key | quote }}, path: {{ .secret.key | quote }} }
{{- end }}
{{- end }}

{{- define "spark-common.eventLogMounts" -}}
{{- if eq .store "claim" }}
- name: event-logs
  mountPath: /var/spark/events
{{- end }}
{{- if and .store (ne .store "hdfs") .secret.name }}
- name: event-log-secret
  mountPath: /etc/spark-event-log
  readOnly: true
{{- end }}
{{- end }}

{{- define "spark-common.eventLogEnv" -}}
{{- if and (eq .store "s3") .secret.name }}
# Where AWS's SDKs look for the file.
- name: AWS_SHARED_CREDENTIALS_FILE
  value: /etc/spark-event-log/{{ .secret.key }}
{{- end }}
{{- end }}

{{- define "spark-common.checkFolder" -}}
{{- $stores := dict
  "s3" (list "s3a" "[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]" "s3a://bucket/folder, a bucket of small letters, digits, dots and dashes")
  "gcs" (list "gs" "[a-z0-9][-_a-z0-9.]{1,220}[a-z0-9]" "gs://bucket/folder")
  "abfs" (list "abfss" "[a-z0-9][-a-z0-9]{2,62}@[a-z0-9][-a-z0-9.]*[a-z0-9]" "abfss://container@account.dfs.core.windows.net/folder")
  "hdfs" (list "hdfs" "([-A-Za-z0-9.]+|\\[[0-9A-Fa-f:]+\\])?(:[0-9]{1,5})?" "hdfs://namenode.example.com:8020/folder, a name of letters, digits, dots and dashes")
-}}
{{- $store := get $stores .store -}}
{{- $root := printf "^%s://" (first $store) -}}
{{- $path := regexReplaceAll (printf "%s[^/]*" $root) .url "" -}}
{{- if not (regexMatch (printf "%s%s(/.*)?$" $root (index $store 1)) .url) -}}
{{- fail (printf "%s is %q, and the store is %s: write %s" .from .url .store (last $store)) -}}
{{- end -}}
{{- if or (not (regexMatch "^(/[-A-Za-z0-9._=+@~]+)*/*$" $path)) (regexMatch "/[.]{1,2}(/|$)" $path) -}}
{{- fail (printf "%s is %q, in whose path programs differ: name the folder with letters, digits, and any of -._=+@~, with one / between names, and none of them . or .." .from .url) -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkEventLog" -}}
{{- $log := .eventLog -}}
{{- if has $log.store (list "s3" "gcs" "abfs" "hdfs") -}}
{{- include "spark-common.checkFolder" (dict "url" $log.url "store" $log.store "from" "global.eventLog.url") -}}
{{- else -}}
{{- if $log.url -}}
{{- fail (printf "global.eventLog.url is %q and the store is %q, which has none: leave it empty, or set global.eventLog.store" $log.url $log.store) -}}
{{- end -}}
{{- end -}}
{{- if and $log.secret.name (has $log.store (list "" "claim")) -}}
{{- fail (printf "global.eventLog.secret.name is %q and the store is %q, which needs none: leave it empty" $log.secret.name $log.store) -}}
{{- end -}}
{{- $endpoint := $log.s3.endpoint | default .global.s3.endpoint -}}
{{- if and $log.ca.configMap (not (hasPrefix "https://" $endpoint)) -}}
{{- fail (printf "global.eventLog.ca.configMap is %q but the endpoint, global.eventLog.s3.endpoint or else global.s3.endpoint, is %q: only what is asked by https:// has a certificate" $log.ca.configMap $endpoint) -}}
{{- end -}}
{{- if and (eq $log.store "s3") $log.secret.name .global.s3.secret.name -}}
{{- fail (printf "global.eventLog.secret.name is %q and global.s3.secret.name is %q, and a pod opens S3 with one credentials file: leave global.eventLog.secret.name empty" $log.secret.name .global.s3.secret.name) -}}
{{- end -}}
{{- if and $log.hdfs.principal (not $log.secret.name) -}}
{{- fail (printf "global.eventLog.hdfs.principal is %q but global.eventLog.secret.name is empty: set it to the Secret with its keytab" $log.hdfs.principal) -}}
{{- end -}}
{{- if eq $log.store "hdfs" -}}
{{- if and $log.secret.name (not $log.hdfs.principal) -}}
{{- fail (printf "global.eventLog.secret.name is %q but global.eventLog.hdfs.principal is empty: set it to whom the keytab is of, or leave both empty, and the history server logs in as drivers do" $log.secret.name) -}}
{{- end -}}
{{- if not (include "spark-common.hadoopConfigMap" .global) -}}
{{- fail "global.eventLog.store is hdfs but Hadoop has no configuration: set global.hadoop.configMap to the ConfigMap with core-site.xml and hdfs-site.xml" -}}
{{- end -}}
{{- if and $log.hdfs.principal (not (include "spark-common.krb5ConfigMap" .global)) -}}
{{- fail (printf "global.eventLog.hdfs.principal is %q but no krb5.conf is set: set global.kerberos.configMap, or realm and kdcs" $log.hdfs.principal) -}}
{{- end -}}
{{- end -}}
{{- if $log.store -}}
{{- range $number, $conf := .confs -}}
{{- if hasKey $conf "spark.eventLog.dir" -}}
{{- fail (printf "%s sets spark.eventLog.dir, which global.eventLog sets: leave it out" (index $.from $number)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
