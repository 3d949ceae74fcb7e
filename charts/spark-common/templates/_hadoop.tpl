{{/*
Hadoop's configuration and Kerberos: global.hadoop and global.kerberos. Call with .Values.global unless said otherwise.

  spark-common.hadoopConfigMap   name of the ConfigMap with core-site.xml and its like, or nothing
  spark-common.krb5ConfigMap     name of the ConfigMap with krb5.conf, or nothing
  spark-common.hadoopVolumes     volumes of a pod, a list: the configuration, and of a driver what it logs in with. Call with a dict:
                                 global and, of a driver, login (spark-common.login)
  spark-common.hadoopMounts      the same as mounts of a container
  spark-common.hadoopEnv         variables of a container: where the configuration is, and of a driver its tickets or tokens. Call
                                 with a dict: global, isDriver
  spark-common.keytabEnv         variables by which Hadoop's own code logs in with the keytab, before Spark's does, a list, or nothing
  spark-common.hadoopConf        Spark configuration of a driver, a map
  spark-common.login             what a driver logs in with, a map: name and key of a Secret, path (the file's name), or nothing
  spark-common.checkHadoop       refuses what cannot go together; call with a dict: global, confs and, as a list, from (their names
                                 in values)

The files are in folders of their own, none in /etc itself: Java finds krb5.conf by -Djava.security.krb5.conf, MIT's programs by
KRB5_CONFIG. Executors have the configuration, and a krb5.conf, without which no JVM reads it; a keytab only drivers have.
  spark-common.xmlText           a value as it stands in such a file; call with the value
*/}}

{{- define "spark-common.xmlText" -}}
{{- include "spark-common.text" . | html | replace "\n" "&#10;" | replace "\r" "&#13;" -}}
{{- end }}


{{- define "spark-common.hadoopConfigMap" -}}
{{- .hadoop.configMap | default (empty .hadoop.files | ternary "" "spark-hadoop") -}}
{{- end }}

{{- define "spark-common.krb5ConfigMap" -}}
{{- .kerberos.configMap | default (empty .kerberos.realm | ternary "" "spark-krb5") -}}
{{- end }}

{{- define "spark-common.login" -}}
{{- with .kerberos -}}
{{- if .keytab.name -}}
{ name: {{ .keytab.name | quote }}, key: {{ .keytab.key | quote }}, path: keytab }
{{- else if .tokens.name -}}
{ name: {{ .tokens.name | quote }}, key: {{ .tokens.key | quote }}, path: tokens }
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.hadoopVolumes" -}}
{{- with include "spark-common.hadoopConfigMap" .global }}
- name: hadoop
  configMap:
    name: {{ quote . }}
{{- end }}
{{- with include "spark-common.krb5ConfigMap" .global }}
- name: krb5
  configMap:
    name: {{ quote . }}
{{- end }}
{{- with .login }}
- name: kerberos
  secret:
    secretName: {{ .name | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      - { key: {{ .key | quote }}, path: {{ .path }} }
{{- end }}
{{- end }}

{{- define "spark-common.hadoopMounts" -}}
{{- if include "spark-common.hadoopConfigMap" .global }}
- name: hadoop
  mountPath: /etc/hadoop/conf
  readOnly: true
{{- end }}
{{- if include "spark-common.krb5ConfigMap" .global }}
- name: krb5
  mountPath: /etc/krb5
  readOnly: true
{{- end }}
{{- if .login }}
- name: kerberos
  mountPath: /etc/spark-kerberos
  readOnly: true
{{- end }}
{{- end }}

{{- define "spark-common.hadoopEnv" -}}
{{- if include "spark-common.hadoopConfigMap" .global }}
- name: HADOOP_CONF_DIR
  value: /etc/hadoop/conf
{{- end }}
{{- if include "spark-common.krb5ConfigMap" .global }}
- name: KRB5_CONFIG
  value: /etc/krb5/krb5.conf
{{- end }}
{{- if .isDriver }}
{{- with .global.kerberos.ticketCache }}
- name: KRB5CCNAME
  value: {{ quote . }}
{{- end }}
{{- if .global.kerberos.tokens.name }}
- name: HADOOP_TOKEN_FILE_LOCATION
  value: /etc/spark-kerberos/tokens
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.keytabEnv" -}}
{{- if and .kerberos.principal .kerberos.keytab.name }}
- name: KRB5PRINCIPAL
  value: {{ quote .kerberos.principal }}
- name: KRB5KEYTAB
  value: /etc/spark-kerberos/keytab
{{- end }}
{{- end }}

{{- define "spark-common.hadoopConf" -}}
{{- with .kerberos -}}
{{- if and .principal .keytab.name -}}
spark.kerberos.principal: {{ .principal | quote }}
spark.kerberos.keytab: local:///etc/spark-kerberos/keytab
{{ end -}}
{{- if .ticketCache -}}
spark.kerberos.renewal.credentials: ccache
{{ end -}}
{{- if or .keytab.name .ticketCache -}}
# After a login that failed. Spark's own hour is longer than most tokens last.
spark.security.credentials.retryWait: 1m
{{ end -}}
{{- end -}}
{{- with .hadoop.accessFileSystems -}}
spark.kerberos.access.hadoopFileSystems: {{ join "," . | quote }}
{{- end -}}
{{- end }}

{{- define "spark-common.checkHadoop" -}}
{{- $hadoop := .global.hadoop -}}
{{- $kerberos := .global.kerberos -}}
{{- if and $hadoop.configMap $hadoop.files -}}
{{- fail (printf "global.hadoop.configMap is %q and global.hadoop.files is set too: give one of them" $hadoop.configMap) -}}
{{- end -}}
{{- if and $kerberos.configMap $kerberos.realm -}}
{{- fail (printf "global.kerberos.configMap is %q and global.kerberos.realm is %q: krb5.conf comes from one of them; leave the other empty" $kerberos.configMap $kerberos.realm) -}}
{{- end -}}
{{- if and $kerberos.kdcs (not $kerberos.realm) -}}
{{- fail "global.kerberos.kdcs is set but global.kerberos.realm is empty: set it to the realm of these KDCs" -}}
{{- end -}}
{{- range $file, $settings := $hadoop.files -}}
{{- range $key := keys $settings | sortAlpha -}}
{{- if regexMatch (include "spark-common.secretKeys" .) $key -}}
{{- fail (printf "global.hadoop.files sets %s in %s, and a secret never stands in values: put it into a Hadoop credential store in a Secret, and set hadoop.security.credential.provider.path" $key $file) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $ways := list -}}
{{- range $name, $given := dict "keytab.name" $kerberos.keytab.name "ticketCache" $kerberos.ticketCache "tokens.name" $kerberos.tokens.name -}}
{{- if $given -}}
{{- $ways = append $ways (printf "global.kerberos.%s" $name) -}}
{{- end -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- fail (printf "%s are both set: a driver logs in one way; keep one" (join " and " $ways)) -}}
{{- end -}}
{{- if and $ways (not (include "spark-common.krb5ConfigMap" .global)) -}}
{{- fail (printf "%s is set but no krb5.conf is: set global.kerberos.configMap, or realm and kdcs" (first $ways)) -}}
{{- end -}}
{{- if and $ways (not (include "spark-common.hadoopConfigMap" .global)) -}}
{{- fail (printf "%s is set but Hadoop has no configuration: set global.hadoop.configMap to the ConfigMap with core-site.xml and hdfs-site.xml" (first $ways)) -}}
{{- end -}}
{{- if and $kerberos.keytab.name (not $kerberos.principal) -}}
{{- fail (printf "global.kerberos.keytab.name is %q but global.kerberos.principal is empty: set it to whom the keytab is of; \"klist -k\" shows it" $kerberos.keytab.name) -}}
{{- end -}}
{{- if and $kerberos.principal (not $kerberos.keytab.name) -}}
{{- fail (printf "global.kerberos.principal is %q but global.kerberos.keytab.name is empty: set it to the Secret with its keytab" $kerberos.principal) -}}
{{- end -}}
{{- $use := dict
  "spark.kerberos.principal" "global.kerberos.principal"
  "spark.kerberos.keytab" "global.kerberos.keytab, a Secret"
  "spark.yarn.principal" "global.kerberos.principal"
  "spark.yarn.keytab" "global.kerberos.keytab, a Secret"
  "spark.kerberos.renewal.credentials" "global.kerberos.keytab or ticketCache"
  "spark.kerberos.access.hadoopFileSystems" "global.hadoop.accessFileSystems"
  "spark.yarn.access.hadoopFileSystems" "global.hadoop.accessFileSystems"
  "spark.kubernetes.hadoop.configMapName" "global.hadoop.configMap"
  "spark.kubernetes.executor.hadoopConfigMapName" "global.hadoop.configMap"
  "spark.kubernetes.kerberos.krb5.path" "global.kerberos.configMap"
  "spark.kubernetes.kerberos.krb5.configMapName" "global.kerberos.configMap"
  "spark.kubernetes.kerberos.tokenSecret.name" "global.kerberos.tokens.name"
  "spark.kubernetes.kerberos.tokenSecret.itemKey" "global.kerberos.tokens.key"
-}}
{{- range $number, $conf := .confs -}}
{{- include "spark-common.checkUse" (dict "map" $conf "use" $use "from" (index $.from $number) "what" "%s") -}}
{{- end -}}
{{- end }}
